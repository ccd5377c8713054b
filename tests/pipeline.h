#pragma once

#include "server/capture_loop.h"
#include "server/encode_loop.h"
#include "server/gate.h"
#include "server/hub.h"
#include "server/listener.h"
#include "server/seats.h"
#include "server/session.h"
#include "server/stream_session.h"
#include "server/synthetic_capture.h"
#include "tests/eventually.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

// All of the server's threads, for tests with real sockets and real clients. ThreadSanitizer does not
// understand OpenMP, so the encoder is one that copies the picture's first rows instead of a network.

namespace latentdesk {

inline constexpr int kCopyChannels = 96;

class CopyingEncoder : public Encoder {
 public:
  void encode(ImageView image, float scale, Latents& out) override {
    repeat_first_row(image, latent_shape(image.size, kCopyChannels), scale, out);
  }
  void encode_tiles(std::span<const ImageView> tiles, float scale, Latents& out) override {
    repeat_first_row(tiles[0], tile_latent_shape(static_cast<int>(tiles.size()), kCopyChannels), scale, out);
  }

 private:
  static void repeat_first_row(ImageView image, LatentShape shape, float scale, Latents& out) {
    out.resize(shape);
    out.scale = scale;
    const size_t bytes = static_cast<size_t>(image.size.width) * kBytesPerPixel;
    for (size_t i = 0; i < out.values.size(); ++i)
      out.values[i] = static_cast<int8_t>(image.row(0)[i % bytes]);
  }
};

inline Model scale_only_model() {
  Model model;
  model.name = "copy";
  model.version = "1";
  model.hash = "0";
  model.scale_min = 0.01f;
  model.scale_max = 1;
  model.latent_channels = kCopyChannels;
  return model;
}

/// The server without options, display and signals.
class Pipeline {
 public:
  explicit Pipeline(double fps, Size size = {640, 360}, GateConfig gate = {})
      : acceptor_(listen(context_, {boost::asio::ip::address_v4::loopback(), 0})),
        capture_loop_([=] { return open_pattern_capture(size, fps); }, 1000, demand_, frames_, bell_),
        hub_(context_, demand_,
             {.refresh = [this] { capture_loop_.refresh(); },
              .want_packets = [this](bool wanted) { encode_loop_.want_packets(wanted); },
              .request = [this](uint64_t viewer,
                                const StreamRequest& request) { encode_loop_.request(viewer, request); },
              .wake = [this] { bell_.ring(); },
              .remove = [this](uint64_t viewer) { encode_loop_.remove(viewer); },
              .park = [this](uint64_t viewer) { encode_loop_.park(viewer); },
              .resume = [this](uint64_t from, uint64_t to,
                               uint64_t updates) { encode_loop_.resume(from, to, updates); }}),
        gate_(std::move(gate),
              [this](Transport transport, HttpRequest request, std::unique_ptr<Admission> admission) {
                return offers_subprotocol(request, kSubprotocol)
                           ? serve_stream_viewer(std::move(transport), std::move(request),
                                                 std::move(admission), hub_, stream_config_)
                           : serve_viewer(std::move(transport), std::move(request), std::move(admission),
                                          hub_);
              }),
        encode_loop_({std::make_unique<CopyingEncoder>(), std::make_unique<CopyingEncoder>(), nullptr},
                     scale_only_model(), 50, 60, GpuBudget(100), frames_, bell_,
                     {.on_packet = [this](PacketPtr packet) { deliver(std::move(packet)); },
                      .on_delivery = [this](std::vector<StreamDelivery> made) { deliver(std::move(made)); },
                      .on_missed = [this] { capture_loop_.refresh(); }}) {
    demand_.on_open([this] { capture_loop_.wake(); });
    boost::asio::co_spawn(context_, accept_connections(acceptor_, gate_), boost::asio::detached);
    capture_ = std::thread([this] { capture_loop_.run(); });
    encode_ = std::thread([this] { encode_loop_.run(); });
    network_ = std::thread([this] { context_.run(); });
  }

  ~Pipeline() {
    capture_loop_.stop();
    frames_.close();
    bell_.close();
    context_.stop();
    for (std::thread* thread : {&capture_, &encode_, &network_}) thread->join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  template <typename Function>
  auto on_network_thread(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    boost::asio::post(context_, [&task] { task(); });
    return result.get();
  }

  size_t viewers() {
    return on_network_thread([this] { return hub_.viewers(); });
  }
  void close_all() {
    on_network_thread([this] { hub_.close_all(); });
  }
  bool has_demand() const { return demand_.is_open(); }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Demand demand_;
  template <typename Made>
  void deliver(Made made) {
    boost::asio::post(context_, [this, made = std::move(made)]() mutable { hub_.deliver(std::move(made)); });
  }

  Latest<Frame> frames_;
  Doorbell bell_;
  Seats seats_{context_.get_executor(), nullptr};
  StreamConfig stream_config_{.model_ver = "copy-1.0", .device = "test", .quality = 50, .seats = &seats_};
  CaptureLoop capture_loop_;
  Hub hub_;
  Gate gate_;
  EncodeLoop encode_loop_;
  std::thread capture_, encode_, network_;
};

/// What a client must not say, and what the server closes with.
struct BadMessage {
  const char* name;
  std::string text;
  bool binary;
  const char* reason;
};

}  // namespace latentdesk
