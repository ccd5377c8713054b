#include "client/viewer.h"

#include "client/end_watch.h"
#include "client/headless.h"
#include "client/png.h"
#include "client/reporter.h"
#include "client/stream.h"
#include "client/window.h"
#include "common/codec/model_path.h"

#include <spdlog/spdlog.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>

namespace latentdesk {

namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text).flush()) throw std::runtime_error(path + ": cannot be written");
}

/// What decodes, or "none" when frames are only counted.
Backend backend_for(const ViewerOptions& options) {
  if (!options.decode) return {"none", "frames are only counted"};
  return choose_backend(options.codec.device);
}

/// Writes what the options ask for.
void finish(const ViewerOptions& options, const Stream& stream, const Picture& last,
            const std::string& device, const std::string& model) {
  const RunSummary run = stream.summary();
  if (!options.stats_file.empty()) write_file(options.stats_file, to_json(run, device, model));
  if (run.frames == 0) {
    const std::string reason = stream.status().reason;
    throw std::runtime_error("no picture came" + (reason.empty() ? "" : ": " + reason));
  }
  if (!options.screenshot_file.empty() && last.image) write_png(options.screenshot_file, last.image->view());
}

}  // namespace

void run_viewer(const ViewerOptions& options) {
  const Backend backend = backend_for(options);
  const Model model = load_model(options.model_file.empty() ? default_model_path() : options.model_file);
  spdlog::info("model {}, device {}: {}", model.wire_version(), backend.name, backend.description);
  const auto window =
      options.headless ? nullptr
                       : std::make_unique<Window>(WindowConfig{options.url.authority(), options.full_screen,
                                                               options.desk, options.screenshot_file});
  const auto new_decoder = [&] {
    return options.decode ? make_decoder(model, backend, options.codec.threads) : nullptr;
  };
  Stream stream({.url = options.url,
                 .token = options.token,
                 .trust = {options.fingerprint, default_known_servers()},
                 .space = {model.wire_version(), model.latent_channels},
                 .decoder = new_decoder(),
                 .stream_decoder = new_decoder(),
                 .baseline = options.baseline,
                 .view_only = options.desk.view_only || options.headless,
                 .max_frames = options.max_frames,
                 .on_change = [&window] {
                   if (window) window->wake();
                 }});
  const EndWatch end_watch(options.max_seconds, [&stream] { stream.end(); });
  Reporter reporter(stream, options.log_level);
  const Picture last = window ? window->run(stream, reporter) : run_headless(stream, reporter);
  stream.stop();
  reporter.print_summary();
  finish(options, stream, last, backend.name, model.wire_version());
}

}  // namespace latentdesk
