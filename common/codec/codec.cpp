#include "common/codec/codec.h"

#include "common/codec/backend.h"

#include <stdexcept>

namespace latentdesk {

namespace {

Backend probe(const std::string& name) { return {name, load_backend(name).probe()}; }

Backend probe_requested(const std::string& name) try {
  return probe(name);
} catch (const std::runtime_error& error) {
  throw std::runtime_error("--device " + name + ": " + error.what());
}

Backend probe_best() {
  std::string why_not_cuda;
  try {
    return probe("cuda");
  } catch (const std::runtime_error& error) {
    why_not_cuda = error.what();
  }
  Backend backend = probe_requested("cpu");
  backend.description += "; not on a GPU: " + why_not_cuda;
  return backend;
}

}  // namespace

Backend choose_backend(Device device) {
  switch (device) {
    case Device::cuda:
      return probe_requested("cuda");
    case Device::cpu:
      return probe_requested("cpu");
    case Device::automatic:
      break;
  }
  return probe_best();
}

std::unique_ptr<Encoder> make_encoder(const Model& model, const Backend& backend, int threads) {
  return load_backend(backend.name).make_encoder(model, threads);
}

std::unique_ptr<Decoder> make_decoder(const Model& model, const Backend& backend, int threads) {
  return load_backend(backend.name).make_decoder(model, threads);
}

DeviceReport device_report(const Backend& backend) { return load_backend(backend.name).report(); }

std::shared_ptr<void> pin_memory(const Backend& backend, std::span<uint8_t> memory) {
  return load_backend(backend.name).pin(memory);
}

}  // namespace latentdesk
