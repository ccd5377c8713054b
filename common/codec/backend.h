#pragma once

#include "common/codec/codec.h"

#include <memory>
#include <string>

namespace latentdesk {

/// What a backend exports. Backends are modules loaded at run time, so that the programs start on machines
/// that lack what a backend needs; both sides are built together.
struct BackendInterface {
  /// Opens the device for real and describes it in a few words. Throws std::runtime_error when it cannot be
  /// used.
  std::string (*probe)();
  std::unique_ptr<Encoder> (*make_encoder)(const Model& model, int threads);
  std::unique_ptr<Decoder> (*make_decoder)(const Model& model, int threads);
  DeviceReport (*report)();                                 ///< see device_report
  std::shared_ptr<void> (*pin)(std::span<uint8_t> memory);  ///< see pin_memory
};

/// Name under which a module exports its BackendInterface, with C linkage.
inline constexpr const char* kBackendSymbol = "latentdesk_backend";

/// Loads `latentdesk-NAME.so` from beside the program or from ../lib/latentdesk, once. Throws
/// std::runtime_error that says why it cannot be had. Call it first from main, before other threads start.
const BackendInterface& load_backend(const std::string& name);

}  // namespace latentdesk
