#include "server/probe.h"

#include "common/codec/model_path.h"
#include "common/codec/timing.h"

#include <array>
#include <cstdio>

namespace latentdesk {

namespace {

constexpr std::array kSizes = {Size{1280, 720}, Size{1920, 1080}, Size{3840, 2160}};
constexpr double kSecondsEach = 0.5;

void print_row(const Workload& workload, const char* end, const EndTiming& timing) {
  std::printf("%-10s %-7s %9.2f %9.2f %9.2f %9.2f %9.2f\n", workload.name().c_str(), end, timing.wall_ms,
              timing.device_ms, timing.device.upload, timing.device.compute, timing.device.download);
}

void print_plan(const char* end, const std::string& plan) {
  if (!plan.empty())
    std::printf("\n%s, layer by layer, at %dx%d:\n%s", end, kSizes.back().width, kSizes.back().height,
                plan.c_str());
}

}  // namespace

void run_probe(const ServerOptions& options) {
  const Model model = load_model(options.model.empty() ? default_model_path() : options.model);
  const Backend backend = choose_backend(options.codec.device);
  std::printf("%s: %s\n", backend.name.c_str(), device_report(backend).text.c_str());
  if (backend.description.find("not on a GPU") != std::string::npos)
    std::printf("%s\n", backend.description.c_str());
  std::printf("model %s\n\n", model.wire_version().c_str());
  const auto encoder = make_encoder(model, backend, options.codec.threads);
  const auto decoder = make_decoder(model, backend, options.codec.threads);
  std::printf("median ms          %10s %9s %9s %9s %9s\n", "whole", "device", "upload", "compute",
              "download");
  for (const Size size : kSizes) {
    const Workload workload{size};
    print_row(workload, "encode", time_encoder(*encoder, backend, model, workload, kSecondsEach));
    print_row(workload, "decode", time_decoder(*decoder, backend, model, workload, kSecondsEach));
  }
  print_plan("encoder", encoder->plan());
  print_plan("decoder", decoder->plan());
  if (const size_t used = device_report(backend).memory_used; used > 0) {
    std::printf("\n%zu MiB of device memory for both ends\n", used >> 20);
  }
}

}  // namespace latentdesk
