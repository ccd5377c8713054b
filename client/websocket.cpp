#include "client/websocket.h"

#include "common/protocol.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <spdlog/fmt/fmt.h>

namespace latentdesk {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = net::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr auto kConnectTimeout = 5s;
constexpr auto kHandshakeTimeout = 10s;
// A server sends at least one frame a second, so a connection that was silent for so long is dead.
constexpr auto kIdleTimeout = 15s;

std::string_view advice(http::status status) {
  switch (status) {
    case http::status::unauthorized:
      return "the server asks for a token, or for another one: set LATENTDESK_TOKEN";
    case http::status::forbidden:
      return "the server does not allow this viewer";
    case http::status::upgrade_required:
      return "the server wants another protocol";
    case http::status::service_unavailable:
      return "the server takes no more viewers now";
    default:
      return "the server refused the connection: is it a latentdesk server?";
  }
}

std::string describe_refusal(const websocket::response_type& response) {
  std::string text = fmt::format("{} (HTTP {} {})", advice(response.result()), response.result_int(),
                                 printable({response.reason().data(), response.reason().size()}, 40));
  const std::string_view body = response.body();
  const std::string_view first_line = body.substr(0, body.find_first_of("\r\n"));
  const bool is_page = first_line.starts_with('<');
  if (!first_line.empty() && !is_page) text += ": " + printable(first_line);
  return text;
}

std::string describe_close(const websocket::close_reason& closed) {
  const std::string_view reason(closed.reason.data(), closed.reason.size());
  std::string text = fmt::format("the server closed the connection (code {})", closed.code);
  if (!reason.empty()) text += ": " + printable(reason);
  return text;
}

}  // namespace

std::shared_ptr<WebSocket> make_websocket(net::io_context& context) {
  auto socket = std::make_shared<WebSocket>(context);
  socket->read_message_max(kMaxMessageBytes);
  socket->set_option(
      websocket::stream_base::timeout{kHandshakeTimeout, kIdleTimeout, /*keep_alive_pings=*/true});
  socket->set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
    request.set(http::field::user_agent, "latentdesk-viewer/" LATENTDESK_VERSION);
  }));
  return socket;
}

net::awaitable<void> open_websocket(WebSocket& socket, tcp::resolver::results_type endpoints,
                                    std::string host, std::string target) {
  auto& transport = beast::get_lowest_layer(socket);
  transport.expires_after(kConnectTimeout);
  co_await transport.async_connect(endpoints, net::use_awaitable);
  transport.expires_never();  // from here the WebSocket keeps the time
  transport.socket().set_option(tcp::no_delay(true));
  websocket::response_type response;
  error_code error;
  co_await socket.async_handshake(response, host, target, net::redirect_error(net::use_awaitable, error));
  if (error == websocket::error::upgrade_declined) throw Refusal(describe_refusal(response));
  if (error) throw boost::system::system_error(error);
}

std::string describe(const error_code& error, const WebSocket& socket) {
  if (error == websocket::error::closed) return describe_close(socket.reason());
  if (error == websocket::error::message_too_big) {
    return fmt::format("the server sent a message of more than {} bytes", kMaxMessageBytes);
  }
  if (error == beast::error::timeout) return "the server does not answer (timeout)";
  if (error == net::error::eof || error == http::error::end_of_stream)
    return "the server ended the connection";
  return error.message();
}

}  // namespace latentdesk
