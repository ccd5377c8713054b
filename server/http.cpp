#include "server/http.h"

#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <string>

namespace latentdesk {

namespace {

namespace http = boost::beast::http;

HttpResponse answer(const HttpRequest& request, http::status status, std::string text) {
  HttpResponse response(status, request.version());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(false);
  response.body() = std::move(text);
  response.prepare_payload();
  return response;
}

/// A browser names the page that connects. Any page may try to reach a server on this machine, so it must be
/// ours.
bool has_foreign_origin(const HttpRequest& request) {
  const auto origin = request[http::field::origin];
  if (origin.empty()) return false;
  const auto scheme_end = origin.find("://");
  return scheme_end == origin.npos || origin.substr(scheme_end + 3) != request[http::field::host];
}

}  // namespace

std::optional<HttpResponse> answer_without_upgrade(const HttpRequest& request) {
  if (boost::beast::websocket::is_upgrade(request)) {
    if (!has_foreign_origin(request)) return std::nullopt;
    return answer(request, http::status::forbidden,
                  "Connections from this web page (Origin) are not allowed.\n");
  }
  if (request.target() == "/healthz") return answer(request, http::status::ok, "ok\n");
  if (request.target() != "/") return answer(request, http::status::not_found, "Not found.\n");
  HttpResponse response = answer(request, http::status::upgrade_required,
                                 "This is latentdesk-server. Connect with: latentdesk-viewer ws://" +
                                     std::string(request[http::field::host]) + "\n");
  response.set(http::field::upgrade, "websocket");
  return response;
}

}  // namespace latentdesk
