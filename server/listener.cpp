#include "server/listener.h"

#include "server/gate.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <charconv>
#include <stdexcept>

namespace latentdesk {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(200);

}  // namespace

tcp::endpoint parse_endpoint(asio::io_context& context, const std::string& text) {
  const auto colon = text.rfind(':');
  const std::string port_text = colon == text.npos ? "" : text.substr(colon + 1);
  std::string host = text.substr(0, colon == text.npos ? 0 : colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const auto parsed = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool valid = !host.empty() && !port_text.empty() && parsed.ec == std::errc() &&
                     parsed.ptr == port_text.data() + port_text.size() &&
                     (bracketed || host.find(':') == host.npos);
  if (!valid)
    throw std::runtime_error("--listen " + text + ": write HOST:PORT, such as 127.0.0.1:8765 or [::1]:8765");
  error_code error;
  const auto resolved = tcp::resolver(context).resolve(host, port_text, error);
  if (error) throw std::runtime_error("--listen " + text + ": " + error.message());
  return resolved.begin()->endpoint();
}

tcp::acceptor listen(asio::io_context& context, const tcp::endpoint& endpoint) try {
  return tcp::acceptor(context, endpoint);  // opens, sets reuse_address, binds, listens
} catch (const boost::system::system_error& error) {
  throw std::runtime_error("cannot listen on " + endpoint.address().to_string() + ":" +
                           std::to_string(endpoint.port()) + ": " + error.code().message());
}

asio::awaitable<void> accept_connections(tcp::acceptor& acceptor, Gate& gate) {
  bool complained = false;
  while (acceptor.is_open()) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Most often no file descriptors are left: without a pause this would spin, and fill the log.
      if (!complained) spdlog::error("cannot accept connections: {}", error.message());
      complained = true;
      asio::steady_timer pause(acceptor.get_executor(), kPauseWithoutDescriptors);
      co_await pause.async_wait(asio::use_awaitable);
      continue;
    }
    complained = false;
    asio::co_spawn(acceptor.get_executor(), gate.serve(std::move(socket)), asio::detached);
  }
}

}  // namespace latentdesk
