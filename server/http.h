#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <optional>

namespace latentdesk {

inline constexpr size_t kMaxRequestHeaderBytes = 8 * 1024;

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// The answer to a request that does not become a WebSocket: `/healthz`, a page that says what this is, or a
/// refusal of an upgrade that a foreign web page has asked for. Nothing when the upgrade may go on.
std::optional<HttpResponse> answer_without_upgrade(const HttpRequest& request);

}  // namespace latentdesk
