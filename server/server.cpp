#include "server/server.h"

#include "common/codec/model_path.h"
#include "common/codec/timing.h"
#include "common/raw_video.h"
#include "server/listener.h"
#include "server/session.h"
#include "server/synthetic_capture.h"
#include "server/x11_capture.h"
#include "server/x11_connection.h"
#include "server/x11_screen_size.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <stdexcept>
#include <unistd.h>

namespace latentdesk {

namespace asio = boost::asio;

namespace {

asio::ip::tcp::acceptor open_acceptor(asio::io_context& context, const ServerOptions& options) {
  const auto endpoint = parse_endpoint(context, options.listen);
  const bool has_tls = options.tls_self_signed || !options.tls_cert.empty();
  const bool has_token = !options.token.empty() || !options.view_token.empty();
  if (!endpoint.address().is_loopback() && !options.insecure && !(has_tls && has_token)) {
    throw std::runtime_error(
        "--listen " + options.listen + ": beyond this machine viewers need encryption and a token. Add " +
        (has_tls ? "" : "--tls-self-signed (or --tls-cert and --tls-key)") +
        (has_tls || has_token ? "" : " and ") + (has_token ? "" : "--token-auto (or --token-file)") +
        "; or use an SSH tunnel (ssh -L 8765:127.0.0.1:8765 host), or say --insecure");
  }
  return listen(context, endpoint);
}

/// What a screen of our own can be enlarged to at least.
constexpr Size kGrownDisplay{3840, 2160};

std::unique_ptr<VirtualDisplay> start_display(const ServerOptions& options) {
  const Size size = options.start_display;
  if (size.width == 0) return nullptr;
  // An Xvfb grows no larger than it was at its start.
  const bool may_grow = options.resize && !options.view_only;
  const Size first =
      may_grow ? Size{std::max(size.width, kGrownDisplay.width), std::max(size.height, kGrownDisplay.height)}
               : size;
  auto display = std::make_unique<VirtualDisplay>(first);
  setenv("XAUTHORITY", display->authority_file().c_str(), 1);  // Xlib takes it from nowhere else
  X11Connection connection(display->name());
  if (first != size && !resize_screen(connection, size))
    throw std::runtime_error("--start-display: this Xvfb cannot change its size; say --resize off");
  spdlog::info("started X display {}", display->name());
  return display;
}

std::unique_ptr<ChildProcess> start_program(const ServerOptions& options, const VirtualDisplay* display) {
  if (options.command.empty()) return nullptr;
  return std::make_unique<ChildProcess>(options.command, display->environment());
}

CaptureLoop::Open capture_opener(const ServerOptions& options, const VirtualDisplay* started) {
  if (options.source == "pattern") {
    return [size = options.size, fps = options.fps] { return open_pattern_capture(size, fps); };
  }
  if (const std::string path = raw_path(options.source); !path.empty()) {
    return [path, size = options.size, fps = options.fps, loop = options.loop] {
      return open_raw_capture(path, size, fps, loop);
    };
  }
  const std::string display = started ? started->name() : options.display;
  return [x11 = X11CaptureOptions{display, options.cursor}] { return open_x11_capture(x11); };
}

std::shared_ptr<StaticFiles> load_page(const std::string& named) {
  auto files = std::make_shared<StaticFiles>();
  const std::string folder = web_folder(named);
  if (folder.empty()) {
    spdlog::info("no page for browsers: it has not been built");
  } else {
    files->add_folder(folder);
  }
  return files;
}

/// On a GPU, whose other tenants want to know.
void report_speed(Encoder& encoder, const Model& model, const Backend& backend) {
  if (backend.name != "cuda") return;
  constexpr Size kSize{1920, 1080};
  const EndTiming timing = time_encoder(encoder, backend, model, {kSize}, 0.05);
  spdlog::info("{}x{} takes {:.2f} ms of the GPU's time, {:.2f} ms in all", kSize.width, kSize.height,
               timing.device_ms, timing.wall_ms);
  spdlog::debug("layers:\n{}", encoder.plan());
}

/// As a viewer writes it: with the host's name when we listen on all of its addresses.
std::string reachable_address(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string port = ":" + std::to_string(endpoint.port());
  std::array<char, 256> name{};
  if (address.is_unspecified() && gethostname(name.data(), name.size() - 1) == 0) return name.data() + port;
  return (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + port;
}

}  // namespace

Server::Server(const ServerOptions& options)
    : options_(options),
      stop_signals_(context_, SIGINT, SIGTERM),
      child_signals_(context_, SIGCHLD),
      virtual_display_(start_display(options)),
      desktop_program_(start_program(options, virtual_display_.get())),
      tls_(open_tls(options)),
      acceptor_(open_acceptor(context_, options)),
      capture_loop_(capture_opener(options, virtual_display_.get()), options.max_fps, demand_, frames_,
                    bell_),
      desk_(open_desk()),
      seats_(context_.get_executor(), desk_.get()),
      hub_(context_, demand_,
           {.refresh = [this] { capture_loop_.refresh(); },
            .want_packets = [this](bool wanted) { encode_loop_->want_packets(wanted); },
            .request = [this](uint64_t viewer,
                              const StreamRequest& request) { encode_loop_->request(viewer, request); },
            .wake = [this] { bell_.ring(); },
            .remove = [this](uint64_t viewer) { encode_loop_->remove(viewer); },
            .park = [this](uint64_t viewer) { encode_loop_->park(viewer); },
            .resume = [this](uint64_t from, uint64_t to,
                             uint64_t updates) { encode_loop_->resume(from, to, updates); },
            .want_cursor = [this](bool wanted) { capture_loop_.want_cursor(wanted); }}),
      files_(load_page(options.web)),
      gate_({.tls = tls_.context,
             .tokens = Tokens(options.token, options.view_token),
             .insecure = options.insecure,
             .allowed_origins = options.allowed_origins,
             .max_viewers = options.max_viewers,
             .files = files_},
            [this](Transport transport, HttpRequest request, std::unique_ptr<Admission> admission) {
              return offers_subprotocol(request, kSubprotocol)
                         ? serve_stream_viewer(std::move(transport), std::move(request), std::move(admission),
                                               hub_, stream_config_)
                         : serve_viewer(std::move(transport), std::move(request), std::move(admission), hub_);
            }) {
  const std::string model_path = options.model.empty() ? default_model_path() : options.model;
  const Model model = load_model(model_path);
  const Backend backend = choose_backend(options.codec.device);
  spdlog::info("model {} on {} ({})", model.wire_version(), backend.name, backend.description);
  const std::string complaint = add_decoder(*files_, model_path, model.wire_version());
  if (!complaint.empty() && files_->has_page())
    spdlog::warn("browsers decode without their GPU: {}", complaint);
  capture_loop_.pin_with([backend](std::span<uint8_t> memory) { return pin_memory(backend, memory); });
  demand_.on_open([this] { capture_loop_.wake(); });
  stream_config_ = {.model_ver = model.wire_version(),
                    .device = backend.name + " (" + backend.description + ")",
                    .quality = options.quality,
                    .bytes_per_second = options.max_bitrate * 1e6 / 8,
                    .seats = &seats_};
  const auto deliver = [this](auto made) {
    asio::post(context_, [this, made = std::move(made)]() mutable { hub_.deliver(std::move(made)); });
  };
  const auto new_encoder = [&] { return make_encoder(model, backend, options.codec.threads); };
  auto tiles = new_encoder();
  report_speed(*tiles, model, backend);
  encode_loop_ = std::make_unique<EncodeLoop>(
      EncodeLoop::Encoders{new_encoder(), std::move(tiles),
                           make_decoder(model, backend, options.codec.threads)},
      model, options.quality, options.max_fps, GpuBudget(options.gpu_budget), frames_, bell_,
      EncodeLoop::Events{
          .on_packet = deliver, .on_delivery = deliver, .on_missed = [this] { capture_loop_.refresh(); }});
}

Server::~Server() { stop_workers(); }

std::unique_ptr<Desk> Server::open_desk() {
  if (options_.source != "x11") return nullptr;
  const auto post = [this](auto task) { asio::post(context_, std::move(task)); };
  return std::make_unique<Desk>(
      DeskOptions{.display = virtual_display_ ? virtual_display_->name() : options_.display,
                  .input = !options_.view_only,
                  .clipboard = options_.clipboard,
                  .resize = options_.resize,
                  .cursor = options_.cursor},
      DeskEvents{.on_cursor =
                     [=, this](CursorShape shape) {
                       post([this, message = std::make_shared<const std::string>(serialize(
                                       ServerMessage(std::move(shape))))] { seats_.show_cursor(message); });
                     },
                 .on_pointer =
                     [=, this](DeskPointer at) {
                       post([=, this] {
                         seats_.show_pointer(at);
                         encode_loop_->set_focus(at.x, at.y);
                       });
                     },
                 .on_clipboard =
                     [=, this](std::string text) {
                       post([this, text = std::move(text)] { seats_.show_clipboard(text); });
                     },
                 .on_room = [=, this] { post([this] { seats_.make_room(); }); }});
}

void Server::run() {
  if (desk_) start_worker(desk_thread_, "desk", [this] { desk_->run(); });
  start_worker(capture_thread_, "capture", [this] { capture_loop_.run(); });
  start_worker(encode_thread_, "encode", [this] { encode_loop_->run(); });
  asio::co_spawn(context_, accept_connections(acceptor_, gate_), asio::detached);
  wait_for_stop_signal();
  wait_for_ended_children();
  announce();
  context_.run();
  stop_workers();
  if (failure_) std::rethrow_exception(failure_);
}

void Server::announce() const {
  const std::string page =
      (tls_.context ? "https://" : "http://") +
      (options_.public_address.empty() ? reachable_address(endpoint()) : options_.public_address) + "/";
  spdlog::info("listening on {}:{}{}", endpoint().address().to_string(), endpoint().port(),
               tls_.context ? (options_.insecure ? ", encrypted or in clear" : ", encrypted only") : "");
  if (files_->has_page()) spdlog::info("for browsers: {}", page);
  if (tls_.context) spdlog::info("certificate's fingerprint SHA256 {}", to_string(tls_.fingerprint));
  constexpr size_t kSafeLength = 16;
  for (const std::string& token : {options_.token, options_.view_token}) {
    if (!token.empty() && token.size() < kSafeLength)
      spdlog::warn("a token of fewer than {} characters may be guessed; --token-auto makes a good one",
                   kSafeLength);
  }
  if (options_.insecure) spdlog::warn("--insecure: whoever reaches this port may be able to look");
  if (!options_.show_address) return;
  // Not through the log, which may be kept where others read it.
  std::printf("%s#token=%s\n", page.c_str(), options_.token.c_str());
  std::fflush(stdout);
}

void Server::stop() {
  asio::post(context_, [this] {
    acceptor_.close();
    stop_signals_.cancel();
    child_signals_.cancel();
    hub_.close_all();
    if (desktop_program_) desktop_program_->ask_to_end();
    // Viewers get a moment to take their leave.
    auto deadline = std::make_shared<asio::steady_timer>(context_, std::chrono::milliseconds(500));
    deadline->async_wait([this, deadline](auto) { context_.stop(); });
  });
}

void Server::start_worker(std::thread& thread, const char* name, std::function<void()> work) {
  thread = std::thread([this, name, work = std::move(work)] {
    pthread_setname_np(pthread_self(), name);
    try {
      work();
    } catch (...) {
      asio::post(context_, [this, failure = std::current_exception()] {
        failure_ = failure;
        context_.stop();
      });
    }
  });
}

void Server::wait_for_stop_signal() {
  stop_signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    spdlog::info("{}: stopping", signal == SIGINT ? "interrupted" : "asked to end");
    stop();
  });
}

void Server::wait_for_ended_children() {
  child_signals_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    check_children();
    wait_for_ended_children();
  });
}

void Server::check_children() {
  if (desktop_program_ && desktop_program_->has_ended()) {
    spdlog::warn("{}; the display stays", desktop_program_->exit_description());
    desktop_program_.reset();
  }
  if (virtual_display_ && virtual_display_->process().has_ended()) {
    failure_ = std::make_exception_ptr(std::runtime_error(virtual_display_->process().exit_description()));
    context_.stop();
  }
}

void Server::stop_workers() {
  capture_loop_.stop();
  frames_.close();
  bell_.close();
  if (desk_) desk_->stop();
  if (desk_thread_.joinable()) desk_thread_.join();
  if (capture_thread_.joinable()) capture_thread_.join();
  if (encode_thread_.joinable()) encode_thread_.join();
}

}  // namespace latentdesk
