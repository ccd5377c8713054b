#include "server/http.h"

#include "server/static_files.h"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace latentdesk {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;

HttpResponse answer(const HttpRequest& request, http::status status, std::string text) {
  HttpResponse response(status, request.version());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(false);
  response.body() = std::move(text);
  response.prepare_payload();
  return response;
}

bool is_allowed(beast::string_view origin, const HttpRules& rules) {
  return std::any_of(rules.allowed_origins.begin(), rules.allowed_origins.end(),
                     [origin](const std::string& allowed) { return beast::iequals(origin, allowed); });
}

/// A browser names the page that connects. Any page may try to reach a server on this machine, so it must be
/// ours or an allowed one.
bool has_foreign_origin(const HttpRequest& request, const HttpRules& rules) {
  const auto origin = request[http::field::origin];
  if (origin.empty() || is_allowed(origin, rules)) return false;
  const auto scheme_end = origin.find("://");
  return scheme_end == origin.npos || origin.substr(scheme_end + 3) != request[http::field::host];
}

HttpResponse send_to_tls(const HttpRequest& request) {
  const std::string host = sane_host(request);
  if (beast::websocket::is_upgrade(request)) {
    return answer(request, http::status::upgrade_required,
                  "This server takes encrypted connections only: connect with wss://" + host + "\n");
  }
  const bool is_page = request.method() == http::verb::get || request.method() == http::verb::head;
  if (host.empty() || !is_page)
    return answer(request, http::status::bad_request,
                  "This server takes encrypted connections (https) only.\n");
  const std::string address = "https://" + host + std::string(request.target());
  HttpResponse response =
      answer(request, http::status::temporary_redirect,
             "This server takes encrypted connections only: go to https://" + host + "\n");
  response.set(http::field::location, address);
  return response;
}

int hex_value(char c) {
  int value = -1;
  std::from_chars(&c, &c + 1, value, 16);
  return value;
}

/// Of `host:port` or `[ipv6]:port`.
std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == authority.npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

/// For a program, or a browser that finds no page here.
HttpResponse say_what_this_is(const HttpRequest& request, bool encrypted) {
  HttpResponse response = answer(
      request, http::status::upgrade_required,
      std::string("This is latentdesk-server. Connect with: latentdesk-viewer ") +
          (encrypted ? "wss://" : "ws://") + std::string(request[http::field::host]) +
          "\nThe page for browsers has not been built here (cmake --build --preset release --target web).\n");
  response.set(http::field::upgrade, "websocket");
  return response;
}

}  // namespace

std::string sane_host(const HttpRequest& request) {
  const auto host = request[http::field::host];
  const bool sane = std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-._:[]").find(static_cast<char>(c)) != std::string_view::npos;
  });
  return sane ? std::string(host) : std::string();
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool whole = text[i] == '%' && i + 2 < text.size();
    const int high = whole ? hex_value(text[i + 1]) : -1, low = whole ? hex_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

const StaticFile* requested_file(const HttpRequest& request, const HttpRules& rules, bool encrypted) {
  const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
  if (!rules.files || !reads || beast::websocket::is_upgrade(request) || (rules.tls_only && !encrypted))
    return nullptr;
  const auto target = request.target();
  return rules.files->find({target.data(), target.size()});
}

std::optional<HttpResponse> answer_without_upgrade(const HttpRequest& request, const HttpRules& rules,
                                                   bool encrypted) {
  const bool is_health_check = request.target() == "/healthz" && !beast::websocket::is_upgrade(request);
  if (is_health_check) return answer(request, http::status::ok, "ok\n");
  if (rules.tls_only && !encrypted) return send_to_tls(request);
  if (beast::websocket::is_upgrade(request)) {
    if (!has_foreign_origin(request, rules)) return std::nullopt;
    return refuse_request(request, 403, "connections from this web page (Origin) are not allowed");
  }
  if (request.target() == "/") return say_what_this_is(request, encrypted);
  const bool wants_decoder = request.target().starts_with("/decoder/");
  return answer(request, http::status::not_found,
                wants_decoder ? "This server has no decoder (ONNX) of that model beside its model file.\n"
                              : "Not found.\n");
}

HttpResponse refuse_request(const HttpRequest& request, unsigned status, const std::string& reason) {
  return answer(request, http::int_to_status(status), reason + "\n");
}

bool may_be_rebound(const HttpRequest& request, const HttpRules& rules) {
  const auto origin = request[http::field::origin];
  if (origin.empty() || is_allowed(origin, rules)) return false;
  const auto host = request[http::field::host];
  const std::string_view name = without_port({host.data(), host.size()});
  if (name == "localhost") return false;
  boost::system::error_code is_name;
  boost::asio::ip::make_address(std::string(name), is_name);
  return is_name.failed();
}

std::optional<std::string> query_token(std::string_view target) {
  constexpr std::string_view kName = "token=";
  const size_t question = target.find('?');
  if (question == target.npos) return std::nullopt;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    if (parameter.starts_with(kName)) return percent_decoded(parameter.substr(kName.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

bool offers_subprotocol(const HttpRequest& request, std::string_view name) {
  return http::token_list(request[http::field::sec_websocket_protocol]).exists({name.data(), name.size()});
}

}  // namespace latentdesk
