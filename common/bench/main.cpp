#include "common/bench/bench.h"
#include "common/bench/stream_bench.h"
#include "common/codec/device_option.h"
#include "common/codec/model_path.h"
#include "common/raw_video.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sys/resource.h>

namespace latentdesk {

namespace {

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

nlohmann::json stage(const Samples& samples) {
  const Percentiles percentiles = samples.percentiles();
  return {{"median_ms", percentiles.p50}, {"p95_ms", percentiles.p95}};
}

nlohmann::json report(const BenchResult& result, const std::string& device, const std::string& model) {
  return {{"frames", result.frames},
          {"bytes", result.bytes},
          {"bytes_per_frame", static_cast<double>(result.bytes) / static_cast<double>(result.frames)},
          {"first_bytes", result.first_bytes},
          {"psnr", result.psnr},
          {"ssim", result.ssim},
          {"stages",
           {{"encode", stage(result.encode)},
            {"pack", stage(result.pack)},
            {"unpack", stage(result.unpack)},
            {"decode", stage(result.decode)}}},
          {"fps", result.fps},
          {"peak_rss_mb", peak_rss_mb()},
          {"device", device},
          {"model", model}};
}

void add_stream_figures(const StreamBenchResult& result, nlohmann::json& figures) {
  const char* const names[kParts] = {"operations", "colours", "indices", "exact", "latents"};
  for (size_t i = 0; i < kParts; ++i) figures["parts"][names[i]] = result.parts[i];
  figures["refinement_bytes"] = result.refinement_bytes;
  figures["frame_psnr"] = result.frame_psnr;
}

void print(const BenchResult& result, Size size, const std::string& device, const std::string& model) {
  const double bits_per_pixel = static_cast<double>(result.bytes) * 8 / static_cast<double>(result.frames) /
                                static_cast<double>(size.pixels());
  std::printf("%llu frames of %dx%d, model %s on %s\n", static_cast<unsigned long long>(result.frames),
              size.width, size.height, model.c_str(), device.c_str());
  std::printf("%.3f bits a pixel, PSNR %.2f dB, SSIM %.4f, %.1f frames a second\n", bits_per_pixel,
              result.psnr, result.ssim, result.fps);
  std::printf("%-8s %10s %10s\n", "stage", "median ms", "p95 ms");
  const auto row = [](const char* name, const Samples& samples) {
    const Percentiles percentiles = samples.percentiles();
    std::printf("%-8s %10.2f %10.2f\n", name, percentiles.p50, percentiles.p95);
  };
  row("encode", result.encode);
  row("pack", result.pack);
  row("unpack", result.unpack);
  row("decode", result.decode);
}

int run(int argc, char** argv) {
  BenchOptions options;
  std::string size = "1280x720";
  std::string json_path;
  CLI::App app{
      "Measures the codec on a recording, without a network: rate, quality, time of each stage.\n\n"
      "Make a recording:  ffmpeg -i video.mp4 -pix_fmt bgr0 -f rawvideo frames.bgr0\n"
      "Measure it:        latentdesk-bench --source raw:frames.bgr0 --size 1280x720 --quality 55"};
  app.add_option("--source", options.source, "recording, as raw:FILE of packed BGR0 frames");
  app.add_option("--size", size, "size of its frames, WxH")->capture_default_str();
  bool timings = false;
  app.add_flag("--timings", timings,
               "instead: time both ends on synthetic pictures of 720p, 1080p and 4K and on batches of tiles");
  app.add_option("--fps", options.fps, "its frame rate")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1000.0));
  app.add_option("--quality", options.quality, "1 to 100; more is better and costs more")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--model", options.model, "model file (default: the one shipped)");
  app.add_option("--json", json_path, "write the figures to FILE");
  app.add_option("--decoded", options.decoded,
                 "write the frames that a viewer would show to FILE, packed BGR0");
  bool stream = false;
  std::string refine = "on";
  app.add_flag("--stream", stream,
               "the whole stream, as a viewer of latentdesk.2 sees it: only what changes");
  app.add_option("--refine", refine, "with --stream: make what rests exact (on, off)")
      ->capture_default_str()
      ->check(CLI::IsMember({"on", "off"}));
  CodecOptions codec;
  add_device_options(app, codec);
  app.set_version_flag("--version", LATENTDESK_VERSION);
  CLI11_PARSE(app, argc, argv);

  if (!timings && raw_path(options.source).empty()) throw std::runtime_error("--source must be raw:FILE");
  options.size = parse_size(size);
  options.threads = codec.threads;
  const Model model = load_model(options.model.empty() ? default_model_path() : options.model);
  const Backend backend = choose_backend(codec.device);
  if (timings) {
    run_timings({{1280, 720}, {1920, 1080}, {3840, 2160}}, model, backend, codec.threads, json_path);
    return 0;
  }
  BenchResult result;
  nlohmann::json figures;
  if (stream) {
    const StreamBenchResult streamed = run_stream_bench(options, {refine == "on"}, model, backend);
    result = streamed;
    figures = report(result, backend.name, model.wire_version());
    add_stream_figures(streamed, figures);
  } else {
    result = run_bench(options, model, backend);
    figures = report(result, backend.name, model.wire_version());
  }
  print(result, options.size, backend.name, model.wire_version());
  if (!json_path.empty()) {
    std::ofstream json(json_path);
    json << figures.dump(2) << '\n';
    if (!json.flush()) throw std::runtime_error(json_path + ": cannot be written");
  }
  return 0;
}

}  // namespace

}  // namespace latentdesk

int main(int argc, char** argv) {
  try {
    return latentdesk::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "latentdesk-bench: " << error.what() << '\n';
    return 1;
  }
}
