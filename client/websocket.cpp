#include "client/websocket.h"

#include "common/protocol.h"
#include "common/stream/update.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <spdlog/fmt/fmt.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

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

// Private codes of docs/protocol.md.
constexpr uint16_t kTokenCloseCode = 4401;
constexpr uint16_t kForbiddenCloseCode = 4403;

std::string_view advice(http::status status) {
  switch (status) {
    case http::status::unauthorized:
      return "the server asks for a token, or for another one: set LATENTDESK_TOKEN";
    case http::status::forbidden:
      return "the server does not allow this viewer";
    case http::status::upgrade_required:
      return "the server wants another protocol, such as wss:// instead of ws://";
    case http::status::too_many_requests:
      return "the server takes no token from here for a while";
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

/// Makes the certificate's names part of what OpenSSL verifies; false when it cannot.
bool demand_host(SSL* ssl, const std::string& host) {
  error_code is_name;
  net::ip::make_address(host, is_name);
  if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  // As the macro SSL_set_tlsext_host_name, which casts in C's way.
  std::string name = host;
  const long named = SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  return named == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

ServerIdentity identity_of(SSL* ssl, const ServerUrl& url, bool names_host) {
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) throw Refusal("the server shows no certificate");
  const long verdict = SSL_get_verify_result(ssl);
  std::string error = verdict == X509_V_OK ? "" : X509_verify_cert_error_string(verdict);
  if (error.empty() && !names_host) error = "its names cannot be compared with this address";
  return {url.authority(), fingerprint(*certificate), error};
}

}  // namespace

std::shared_ptr<WebSocket> make_websocket(net::io_context& context) {
  auto socket = std::make_shared<WebSocket>(context);
  socket->read_message_max(kMaxMessageBytes);
  socket->set_option(
      websocket::stream_base::timeout{kHandshakeTimeout, kIdleTimeout, /*keep_alive_pings=*/true});
  return socket;
}

std::shared_ptr<net::ssl::context> make_tls_context() {
  auto context = std::make_shared<net::ssl::context>(net::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code ignored;  // a system without authorities has servers that are pinned
  context->set_default_verify_paths(ignored);
  return context;
}

net::awaitable<void> open_transport(WebSocket& socket, tcp::resolver::results_type endpoints) {
  auto& transport = socket.next_layer().tcp();
  transport.expires_after(kConnectTimeout);
  co_await transport.async_connect(endpoints, net::use_awaitable);
  transport.expires_never();
  transport.socket().set_option(tcp::no_delay(true));
}

net::awaitable<ServerIdentity> encrypt(WebSocket& socket, net::ssl::context& context, const ServerUrl& url) {
  Transport& transport = socket.next_layer();
  auto& tls = transport.start_tls(context);
  const bool names_host = demand_host(tls.native_handle(), url.host);
  // It does not end the handshake: what is wrong with the certificate decides later.
  tls.set_verify_mode(net::ssl::verify_none);
  transport.tcp().expires_after(kHandshakeTimeout);
  error_code error;
  co_await tls.async_handshake(net::ssl::stream_base::client, net::redirect_error(net::use_awaitable, error));
  transport.tcp().expires_never();
  if (error.category() == net::error::get_ssl_category() || error == net::ssl::error::stream_truncated)
    throw Refusal("no TLS connection (" + error.message() + "); does this server speak TLS (wss://)?");
  if (error) throw boost::system::system_error(error);
  co_return identity_of(tls.native_handle(), url, names_host);
}

net::awaitable<bool> open_websocket(WebSocket& socket, std::string host, std::string target,
                                    bool offer_stream) {
  socket.set_option(websocket::stream_base::decorator([offer_stream](websocket::request_type& request) {
    request.set(http::field::user_agent, "latentdesk-viewer/" LATENTDESK_VERSION);
    if (offer_stream) request.set(http::field::sec_websocket_protocol, std::string(kSubprotocol));
  }));
  websocket::response_type response;
  error_code error;
  co_await socket.async_handshake(response, host, target, net::redirect_error(net::use_awaitable, error));
  if (error == websocket::error::upgrade_declined) {
    const auto status = response.result();
    const bool is_final = status == http::status::unauthorized || status == http::status::forbidden ||
                          status == http::status::upgrade_required;
    throw Refusal(describe_refusal(response), is_final);
  }
  if (error) throw boost::system::system_error(error);
  const auto chosen = response[http::field::sec_websocket_protocol];
  const bool is_stream = offer_stream && std::string_view(chosen.data(), chosen.size()) == kSubprotocol;
  if (is_stream) socket.read_message_max(kMaxUpdateBytes);
  co_return is_stream;
}

std::string describe(const error_code& error, const WebSocket& socket) {
  if (error == websocket::error::closed) return describe_close(socket.reason());
  if (error == websocket::error::message_too_big) {
    return fmt::format("the server sent a message of more than {} bytes", socket.read_message_max());
  }
  if (error == beast::error::timeout) return "the server does not answer (timeout)";
  if (error == net::error::eof || error == http::error::end_of_stream ||
      error == net::ssl::error::stream_truncated)
    return "the server ended the connection";
  return error.message();
}

bool is_final(const websocket::close_reason& closed) {
  return closed.code == kTokenCloseCode || closed.code == kForbiddenCloseCode;
}

}  // namespace latentdesk
