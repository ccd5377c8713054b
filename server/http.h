#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latentdesk {

inline constexpr size_t kMaxRequestHeaderBytes = 8 * 1024;

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

class StaticFiles;
struct StaticFile;

struct HttpRules {
  std::vector<std::string> allowed_origins = {};  ///< besides our own; `scheme://host[:port]`, lower case
  bool tls_only = false;                          ///< what comes in clear is sent to https
  std::shared_ptr<const StaticFiles> files = nullptr;  ///< the web page; null: none
};

/// The file of the web page that is asked for; null: answer_without_upgrade knows the answer.
const StaticFile* requested_file(const HttpRequest& request, const HttpRules& rules, bool encrypted);

/// The answer to another request that does not become a WebSocket: `/healthz`, a page that says what this is,
/// the way to https, or a refusal of an upgrade that came in clear or that a foreign web page has asked for.
/// Nothing when the upgrade may go on.
std::optional<HttpResponse> answer_without_upgrade(const HttpRequest& request, const HttpRules& rules = {},
                                                   bool encrypted = false);

/// A refusal, as text of one line.
HttpResponse refuse_request(const HttpRequest& request, unsigned status, const std::string& reason);

/// A web page asks whose name may have been made to point at this machine while the browser was on it (DNS
/// rebinding): that its origin is ours then says nothing. Names that are addresses or `localhost` cannot.
bool may_be_rebound(const HttpRequest& request, const HttpRules& rules);

/// The Host header, when it is one that may be repeated in an answer; else empty.
std::string sane_host(const HttpRequest& request);

/// A percent sign that begins no byte stays as it is.
std::string percent_decoded(std::string_view text);

/// The decoded `token` parameter of a target's query; nothing when there is none.
std::optional<std::string> query_token(std::string_view target);

/// Whether the client offers this WebSocket subprotocol.
bool offers_subprotocol(const HttpRequest& request, std::string_view name);

}  // namespace latentdesk
