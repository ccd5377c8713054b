#pragma once

#include "common/net/transport.h"
#include "server/admission.h"
#include "server/http.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>

namespace latentdesk {

struct GateConfig {
  std::shared_ptr<boost::asio::ssl::context> tls = nullptr;  ///< null: in clear only
  Tokens tokens = {};
  bool insecure = false;
  std::vector<std::string> allowed_origins = {};
  size_t max_viewers = 50;
  Handshakes::Limits handshakes = {};
  std::shared_ptr<const StaticFiles> files = nullptr;  ///< the web page; null: none
};

/// Takes a connection from when it is accepted to where a session begins: finds out who it is and whether it
/// speaks TLS, reads one HTTP request, answers what is no upgrade, and refuses who may not look. All of that
/// within one time limit. Network thread only.
class Gate {
 public:
  /// Runs a viewer's session until it ends; does the WebSocket handshake for this request. The admission has
  /// access, or the client offers kSubprotocol and its hello must bring it.
  using Session =
      std::function<boost::asio::awaitable<void>(Transport, HttpRequest, std::unique_ptr<Admission>)>;

  Gate(GateConfig config, Session session);

  /// Serves one connection until it ends. Never throws; the reason of the end is in the log.
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  const Entrance& entrance() const { return *entrance_; }

 private:
  struct Connection;

  boost::asio::awaitable<void> receive(Connection& connection);
  boost::asio::awaitable<bool> secure(Connection& connection);
  template <typename Response>
  boost::asio::awaitable<void> answer(Connection& connection, const Response& response);
  void log_refusal(const Connection& connection, const std::string& what);
  void complain_of_floods();

  const std::shared_ptr<boost::asio::ssl::context> tls_;
  const HttpRules http_rules_;
  const Session session_;
  const std::shared_ptr<Entrance> entrance_;
  std::chrono::steady_clock::time_point last_complaint_{};
  uint64_t evicted_then_ = 0;
};

}  // namespace latentdesk
