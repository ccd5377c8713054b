#pragma once

#include "common/codec/codec.h"

#include <CLI/CLI.hpp>

#include <map>
#include <string>

namespace latentdesk {

/// Adds --device and --threads, which all programs share.
inline void add_device_options(CLI::App& app, CodecOptions& options) {
  static const std::map<std::string, Device> names = {
      {"auto", Device::automatic}, {"cuda", Device::cuda}, {"cpu", Device::cpu}};
  app.add_option("--device", options.device,
                 "where the networks run (default: auto, the GPU where there is one)")
      ->transform(CLI::Transformer(names, CLI::ignore_case))
      ->option_text("auto|cuda|cpu");
  app.add_option("--threads", options.threads, "threads of the CPU backend (default: one for each core)")
      ->check(CLI::Range(0, 256))
      ->option_text("N");
}

}  // namespace latentdesk
