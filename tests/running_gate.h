#pragma once

#include "server/gate.h"
#include "tests/eventually.h"
#include "tests/gate_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

// The gate with real sockets and clients; its sessions only say what access they were given.

namespace latentdesk {

inline constexpr const char* kToken = "correct horse battery staple";
inline constexpr const char* kTokenTarget = "/?token=correct%20horse%20battery%20staple";
inline constexpr const char* kViewToken = "look-but-do-not-touch";
inline constexpr const char* kViewTarget = "/?token=look-but-do-not-touch";

inline GateConfig with_tokens() { return {.tokens = Tokens(kToken, kViewToken)}; }

/// A certificate of this process's own.
std::shared_ptr<boost::asio::ssl::context> self_signed();

class RunningGate {
 public:
  explicit RunningGate(GateConfig config, const char* address = "127.0.0.1");
  ~RunningGate();

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  size_t handshakes() {
    return on_its_thread([](const Entrance& entrance) { return entrance.handshakes.size(); });
  }
  size_t viewers() {
    return on_its_thread([](const Entrance& entrance) { return entrance.viewers; });
  }

 private:
  template <typename Function>
  size_t on_its_thread(Function function) {
    std::promise<size_t> answer;
    boost::asio::post(context_, [&] { answer.set_value(function(gate_.entrance())); });
    return answer.get_future().get();
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Gate gate_;
  std::thread thread_;
};

/// In a word: the access given, or the HTTP status.
std::string outcome(uint16_t port, const Ask& ask);

}  // namespace latentdesk
