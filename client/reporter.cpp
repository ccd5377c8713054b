#include "client/reporter.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <cstdio>

namespace latentdesk {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kLineInterval = 1s;
constexpr uint64_t kFramesPerSummary = 100;

json to_json(const StageSummary& stage) {
  return {{"mean_ms", stage.mean},
          {"p50_ms", stage.percentiles.p50},
          {"p95_ms", stage.percentiles.p95},
          {"p99_ms", stage.percentiles.p99}};
}

const char* clock_remark(const FrameInfo& frame) {
  return frame.clock_measured ? "" : " (clocks assumed equal)";
}

std::string frame_line(const CurrentStats& now) {
  return fmt::format(
      "frame {}: {:.1f} fps, latency {:.1f} ms{}, {} bytes, decode {:.1f} ms (mean "
      "{:.1f} ms)",
      now.frame.number, now.fps, now.latency_ms, clock_remark(now.frame), now.frame.bytes,
      now.frame.decode_ms, now.mean_decode_ms);
}

std::string stage_line(const char* name, const StageSummary& stage, const char* remark = "") {
  const Percentiles& p = stage.percentiles;
  return fmt::format("  {:<9}{:>9.1f}{:>9.1f}{:>9.1f}{:>9.1f}{}\n", name, stage.mean, p.p50, p.p95, p.p99,
                     remark);
}

std::string summary_text(const RunSummary& run) {
  return fmt::format(
             "{} frames of {}x{} in {:.1f} s: {:.1f} fps, {:.2f} MB ({:.0f} bytes a frame), {} dropped, "
             "{} connection(s)\n",
             run.frames, run.size.width, run.size.height, run.seconds, run.fps,
             static_cast<double>(run.bytes) / 1e6, run.bytes_per_frame, run.dropped, run.connects) +
         fmt::format("  {:<9}{:>9}{:>9}{:>9}{:>9}\n", "ms", "mean", "p50", "p95", "p99") +
         stage_line("interval", run.interval) + stage_line("unpack", run.unpack) +
         stage_line("decode", run.decode) + stage_line("present", run.present) +
         stage_line("latency", run.latency, run.clock_measured ? "" : "  (clocks assumed equal)");
}

}  // namespace

std::string to_json(const RunSummary& run, const std::string& device, const std::string& model) {
  const json stages = {{"interval", to_json(run.interval)},
                       {"unpack", to_json(run.unpack)},
                       {"decode", to_json(run.decode)},
                       {"present", to_json(run.present)},
                       {"latency", to_json(run.latency)}};
  const json object = {
      {"frames", run.frames},     {"seconds", run.seconds},
      {"fps", run.fps},           {"bytes", run.bytes},
      {"dropped", run.dropped},   {"bytes_per_frame", run.bytes_per_frame},
      {"connects", run.connects}, {"size", {run.size.width, run.size.height}},
      {"stages", stages},         {"device", device},
      {"model", model},           {"clock", run.clock_measured ? "measured" : "assumed equal"}};
  return object.dump(2) + "\n";
}

std::vector<std::string> overlay_lines(const Stream& stream) {
  const CurrentStats now = stream.stats().current();
  const FrameInfo& frame = now.frame;
  return {
      fmt::format("{}x{}  frame {}", frame.size.width, frame.size.height, frame.number),
      fmt::format("{:5.1f} fps  {:.1f} Mbit/s  {} bytes", now.fps, now.bits_per_second / 1e6, frame.bytes),
      fmt::format("latency {:6.1f} ms{}", now.latency_ms, clock_remark(frame)),
      fmt::format("unpack  {:6.1f} ms", frame.unpack_ms),
      fmt::format("decode  {:6.1f} ms  mean {:.1f}", frame.decode_ms, now.mean_decode_ms),
      fmt::format("dropped {}  connections {}", stream.dropped(), stream.status().connects)};
}

bool Reporter::wants_line() const {
  if (level_ <= spdlog::level::debug) return true;
  return level_ == spdlog::level::info && SteadyClock::now() - last_line_ >= kLineInterval;
}

void Reporter::report() {
  const CurrentStats now = stream_.stats().current();
  if (wants_line()) {
    fmt::print("{}\n", frame_line(now));
    std::fflush(stdout);
    last_line_ = SteadyClock::now();
  }
  if (now.frame.number / kFramesPerSummary > summarised_frames_ / kFramesPerSummary) print_summary();
}

void Reporter::print_summary() {
  const RunSummary run = stream_.summary();
  if (run.frames == summarised_frames_) return;
  summarised_frames_ = run.frames;
  fmt::print("{}", summary_text(run));
  std::fflush(stdout);
}

}  // namespace latentdesk
