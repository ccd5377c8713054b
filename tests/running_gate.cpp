#include "tests/running_gate.h"

#include "server/listener.h"
#include "server/server_tls.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <unistd.h>

namespace latentdesk {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

/// A session: takes the token from the first message when it has to, says what it got, and waits for the end.
asio::awaitable<void> tell_access(Transport transport, HttpRequest request,
                                  std::unique_ptr<Admission> admission) {
  websocket::stream<Transport> socket(std::move(transport));
  co_await socket.async_accept(request, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  if (!admission->access()) {
    co_await socket.async_read(buffer, asio::use_awaitable);
    const Decision decision = admission->enter(boost::beast::buffers_to_string(buffer.data()));
    if (!decision.access) {
      const auto code = static_cast<websocket::close_code>(close_code(decision.refusal));
      const websocket::close_reason reason(code, decision.reason);
      co_await socket.async_close(reason, asio::use_awaitable);
      co_return;
    }
  }
  const std::string greeting = admission->access()->control ? "full" : "view";
  co_await socket.async_write(asio::buffer(greeting), asio::use_awaitable);
  error_code end;
  while (!end) co_await socket.async_read(buffer, asio::redirect_error(asio::use_awaitable, end));
}

}  // namespace

RunningGate::RunningGate(GateConfig config, const char* address)
    : acceptor_(listen(context_, {asio::ip::make_address(address), 0})),
      gate_(std::move(config), tell_access) {
  asio::co_spawn(context_, accept_connections(acceptor_, gate_), asio::detached);
  thread_ = std::thread([this] { context_.run(); });
}

RunningGate::~RunningGate() {
  context_.stop();
  thread_.join();
}

std::shared_ptr<asio::ssl::context> self_signed() {
  setenv("XDG_STATE_HOME", (testing::TempDir() + "gate-test-" + std::to_string(getpid())).c_str(), 1);
  ServerOptions options;
  options.tls_self_signed = true;
  return open_tls(options).context;
}

/// In a word: the access given, or the HTTP status.
std::string outcome(uint16_t port, const Ask& ask) {
  GateClient client(port, ask);
  if (client.status() != 101) return std::to_string(client.status());
  const std::string greeting = client.read();
  return greeting.empty() ? "closed " + std::to_string(client.close_code()) : greeting;
}

}  // namespace latentdesk
