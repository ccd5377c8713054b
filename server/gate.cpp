#include "server/gate.h"

#include "common/protocol.h"
#include "server/static_files.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/detect_ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <netinet/tcp.h>
#include <string>

namespace latentdesk {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

// Bytes that the kernel holds beyond what the network has taken: more would be a queue of old pictures.
constexpr int kUnsentBytes = 16 * 1024;
constexpr size_t kMaxUnparsedBytes = 2 * kMaxRequestHeaderBytes;
// For a file of the web page: three megabytes at 200 kbit/s.
constexpr auto kDownloadTime = std::chrono::minutes(2);
constexpr auto kComplaintPeriod = std::chrono::seconds(10);
// An alert record: fatal, handshake_failure. What a TLS client understands of a server that has no TLS.
constexpr std::array<uint8_t, 7> kNoTlsAlert{0x15, 3, 3, 0, 2, 2, 40};

void limit_send_queue(asio::ip::tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>(kUnsentBytes),
                    ignored);
}

}  // namespace

struct Gate::Connection {
  Connection(asio::ip::tcp::socket socket, const std::shared_ptr<Entrance>& entrance)
      : peer(identify(socket)), transport(std::move(socket)) {
    limit_send_queue(transport.socket());
    admission =
        std::make_unique<Admission>(entrance, peer, transport.get_executor(),
                                    [close = transport.closer(), why = ended_because](const char* reason) {
                                      *why = reason;
                                      close();
                                    });
  }

  const Peer peer;
  Transport transport;
  std::unique_ptr<Admission> admission;
  std::shared_ptr<const char*> ended_because = std::make_shared<const char*>(nullptr);  ///< by us; null: not
  beast::flat_buffer buffer{kMaxUnparsedBytes};
};

Gate::Gate(GateConfig config, Session session)
    : tls_(std::move(config.tls)),
      http_rules_{std::move(config.allowed_origins), tls_ && !config.insecure, std::move(config.files)},
      session_(std::move(session)),
      entrance_(std::make_shared<Entrance>(AccessRules{config.tokens.any(), config.insecure}, config.tokens,
                                           config.max_viewers, config.handshakes)) {}

asio::awaitable<void> Gate::serve(asio::ip::tcp::socket socket) {
  Connection connection(std::move(socket), entrance_);
  complain_of_floods();
  try {
    co_await receive(connection);
  } catch (const boost::system::system_error& error) {
    const char* reason = *connection.ended_because;
    // Anybody can cause as many of these as they like.
    spdlog::debug("{}: connection ended: {}", connection.peer.name,
                  reason ? reason : error.code().message().c_str());
  } catch (const std::exception& error) {
    spdlog::error("{}: connection ended: {}", connection.peer.name, error.what());
  }
}

asio::awaitable<void> Gate::receive(Connection& connection) {
  const bool may_go_on = co_await secure(connection);
  if (!may_go_on) co_return;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxRequestHeaderBytes);
  co_await http::async_read(connection.transport, connection.buffer, parser, asio::use_awaitable);
  HttpRequest request = parser.release();
  Admission& admission = *connection.admission;
  const bool encrypted = connection.transport.is_encrypted();
  if (const StaticFile* file = requested_file(request, http_rules_, encrypted)) {
    admission.allow_time(kDownloadTime);
    const FileResponse response = answer_with_file(request, *file);
    co_await answer(connection, response);
    co_return;
  }
  if (const auto direct = answer_without_upgrade(request, http_rules_, encrypted)) {
    if (direct->result() == http::status::forbidden)
      log_refusal(connection, "web page " + printable(std::string(request[http::field::origin])));
    co_await answer(connection, *direct);
    co_return;
  }
  if (encrypted) admission.set_encrypted();
  if (may_be_rebound(request, http_rules_)) admission.distrust_user();
  const auto target = request.target();
  const auto token = query_token({target.data(), target.size()});
  const Decision decision = admission.enter(token);
  const bool asks_again =
      decision.refusal == Refusal::token_needed && offers_subprotocol(request, kSubprotocol);
  if (!decision.access && !asks_again) {
    const HttpResponse refusal = refuse_request(request, http_status(decision.refusal), decision.reason);
    co_await answer(connection, refusal);
    co_return;
  }
  connection.buffer = {};
  co_await session_(std::move(connection.transport), std::move(request), std::move(connection.admission));
}

/// False when there is nothing more to say to the peer.
asio::awaitable<bool> Gate::secure(Connection& connection) {
  auto& tcp = connection.transport.tcp();
  const bool wants_tls = co_await beast::async_detect_ssl(tcp, connection.buffer, asio::use_awaitable);
  if (!wants_tls) co_return true;
  if (!tls_) {
    log_refusal(connection, "it speaks TLS, and there is no certificate (--tls-self-signed makes one)");
    co_await asio::async_write(tcp, asio::buffer(kNoTlsAlert), asio::use_awaitable);
    co_return false;
  }
  auto& tls = connection.transport.start_tls(*tls_);
  const size_t used = co_await tls.async_handshake(asio::ssl::stream_base::server, connection.buffer.data(),
                                                   asio::use_awaitable);
  connection.buffer.consume(used);
  co_return connection.buffer.size() == 0;
}

template <typename Response>
asio::awaitable<void> Gate::answer(Connection& connection, const Response& response) {
  Transport& transport = connection.transport;
  http::response_serializer<typename Response::body_type> serializer(response);
  co_await http::async_write(transport, serializer, asio::use_awaitable);
  error_code ignored;
  if (transport.is_encrypted()) {
    co_await transport.tls().async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
  } else {
    transport.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }
}

void Gate::log_refusal(const Connection& connection, const std::string& what) {
  if (entrance_->log_budget.spend(LogBudget::Clock::now()))
    spdlog::warn("{}: refused: {}", connection.peer.name, what);
}

void Gate::complain_of_floods() {
  const uint64_t evicted = entrance_->handshakes.evicted();
  const auto now = std::chrono::steady_clock::now();
  if (evicted == evicted_then_ || now - last_complaint_ < kComplaintPeriod) return;
  spdlog::warn("{} connections said too little while too many others waited, and were ended",
               evicted - evicted_then_);
  evicted_then_ = evicted;
  last_complaint_ = now;
}

}  // namespace latentdesk
