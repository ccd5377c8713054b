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
  app.add_option("--device", options.device, "where the networks run: auto, cuda or cpu")
      ->transform(CLI::Transformer(names, CLI::ignore_case))
      ->type_name("DEVICE")
      ->default_str("auto");
  app.add_option("--threads", options.threads, "threads of the CPU backend; 0 is one for each core")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
}

}  // namespace latentdesk
