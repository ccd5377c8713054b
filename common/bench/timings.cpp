#include "common/bench/bench.h"
#include "common/clock.h"
#include "common/codec/cost.h"
#include "common/codec/timing.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>

namespace latentdesk {

namespace {

constexpr double kSecondsEach = 1;
constexpr int kTilesOf1080p = 30 * 17;

/// What no implementation on this device can be faster than, in ms; 0 where its rates are unknown.
struct Floors {
  double operations = 0;
  double bytes = 0;
};

Floors floors(const Cost& cost, const DeviceReport& device) {
  const auto at = [](double amount, double rate) { return rate > 0 ? 1000 * amount / rate : 0; };
  return {at(cost.operations, device.matrix_rate), at(cost.bytes, device.memory_rate)};
}

std::string utc_date() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
  return text;
}

/// Times one end of the codec after the other, each with nothing else on the device.
class TimingTable {
 public:
  TimingTable(const Model& model, const Backend& backend, int threads)
      : model_(model), backend_(backend), threads_(threads), device_(device_report(backend)) {
    std::printf("%s: %s\nmodel %s; medians in ms; floors: operations, bytes of all layers\n\n",
                backend.name.c_str(), device_.text.c_str(), model.wire_version().c_str());
    std::printf("%-10s %-6s %8s %8s %8s %8s %8s %8s %8s\n", "", "", "whole", "device", "upload", "compute",
                "download", "ops", "bytes");
  }

  /// Whole pictures of a screen, and `batches` of its tiles.
  void measure(Size screen, const std::vector<int>& batches) {
    std::vector<Workload> workloads{{screen}};
    for (const int tiles : batches) workloads.push_back({{}, tiles});
    measure_end("encode", make_encoder, time_encoder, model_.encoder, workloads);
    measure_end("decode", make_decoder, time_decoder, model_.decoder, workloads);
  }

  nlohmann::json report() const {
    return {{"date", utc_date()},
            {"device", backend_.name},
            {"description", device_.text},
            {"memory_rate", device_.memory_rate},
            {"matrix_rate", device_.matrix_rate},
            {"model", model_.wire_version()},
            {"screens", screens_},
            {"rows", rows_}};
  }

 private:
  template <typename Make, typename Time>
  void measure_end(const char* name, const Make& make, const Time& time, const Network& network,
                   const std::vector<Workload>& workloads) {
    const auto start = SteadyClock::now();
    const auto end = make(model_, backend_, threads_);
    end->prepare(workloads.front().picture);
    const double seconds = milliseconds_since(start) / 1000;
    for (const Workload& workload : workloads) {
      add(workload, name, time(*end, backend_, model_, workload, kSecondsEach), network);
    }
    screens_.push_back({{"screen", workloads.front().name()},
                        {"end", name},
                        {"seconds_to_prepare", seconds},
                        {"device_memory_mib", device_report(backend_).memory_used >> 20},
                        {"plan", end->plan()}});
  }

  void add(const Workload& workload, const char* end, const EndTiming& timing, const Network& network) {
    const Floors least = floors(cost_of(network, workload.pixels()), device_);
    std::printf("%-10s %-6s %8.3f %8.3f %8.3f %8.3f %8.3f %8.4f %8.4f\n", workload.name().c_str(), end,
                timing.wall_ms, timing.device_ms, timing.device.upload, timing.device.compute,
                timing.device.download, least.operations, least.bytes);
    std::fflush(stdout);
    rows_.push_back({{"workload", workload.name()},
                     {"end", end},
                     {"calls", timing.measured},
                     {"whole_ms", timing.wall_ms},
                     {"device_ms", timing.device_ms},
                     {"upload_ms", timing.device.upload},
                     {"compute_ms", timing.device.compute},
                     {"download_ms", timing.device.download},
                     {"floor_operations_ms", least.operations},
                     {"floor_bytes_ms", least.bytes}});
  }

  const Model& model_;
  const Backend& backend_;
  int threads_;
  DeviceReport device_;
  nlohmann::json screens_ = nlohmann::json::array();
  nlohmann::json rows_ = nlohmann::json::array();
};

}  // namespace

void run_timings(const std::vector<Size>& sizes, const Model& model, const Backend& backend, int threads,
                 const std::string& json_path) {
  TimingTable table(model, backend, threads);
  for (const Size size : sizes) {
    const bool is_1080p = size == Size{1920, 1080};
    table.measure(size, is_1080p ? std::vector<int>{1, 4, 16, 64, 256, kTilesOf1080p} : std::vector<int>{});
  }
  if (json_path.empty()) return;
  std::ofstream json(json_path);
  json << table.report().dump(2) << '\n';
  if (!json.flush()) throw std::runtime_error(json_path + ": cannot be written");
}

}  // namespace latentdesk
