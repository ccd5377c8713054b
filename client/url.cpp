#include "client/url.h"

#include "common/protocol.h"

#include <algorithm>
#include <charconv>

namespace latentdesk {

namespace {

constexpr size_t kMaxUrlBytes = 2048;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

bool is_host_character(char c) { return is_alphanumeric(c) || is_one_of(c, "-._"); }
bool is_ipv6_character(char c) { return is_alphanumeric(c) || is_one_of(c, ":.%"); }

/// What RFC 3986 allows in a path and a query, percent-encoding included.
bool is_target_character(char c) { return is_alphanumeric(c) || is_one_of(c, "-._~%!$&'()*+,;=:@/?"); }

std::string_view without_scheme(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos) return text;
  std::string scheme(text.substr(0, end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (scheme == "wss") throw UrlError("wss:// needs TLS, which is not built yet; use ws://");
  if (scheme != "ws") throw UrlError("scheme " + printable(scheme) + ":// is not supported; use ws://");
  return text.substr(end + 3);
}

/// Takes the host off the front of `rest`; what stays is empty or the port with its colon.
std::string take_host(std::string_view& rest) {
  const bool bracketed = rest.starts_with('[');
  const size_t end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (end == std::string_view::npos) throw UrlError("the bracket of the IPv6 address is not closed");
  const std::string_view host = rest.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  rest.remove_prefix(bracketed ? end + 1 : end);
  if (host.empty()) throw UrlError("the address has no host");
  if (!std::all_of(host.begin(), host.end(), bracketed ? is_ipv6_character : is_host_character)) {
    throw UrlError("the host has a character that does not belong there");
  }
  if (bracketed && host.find(':') == std::string_view::npos)
    throw UrlError("brackets are for IPv6 addresses only");
  return std::string(host);
}

uint16_t parse_port(std::string_view text) {
  if (text.empty()) return kDefaultPort;
  if (text.front() != ':') throw UrlError("the host is followed by something that is not a port");
  text.remove_prefix(1);
  if (text.find(':') != std::string_view::npos)
    throw UrlError("an IPv6 address needs brackets, as in [::1]:8765");
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    throw UrlError("the port is not a number from 1 to 65535");
  }
  return port;
}

std::string parse_target(std::string_view text) {
  if (text.find('#') != std::string_view::npos)
    throw UrlError("the address has a fragment (#), which is never sent");
  if (!std::all_of(text.begin(), text.end(), is_target_character)) {
    throw UrlError("the path or query has a character that must be percent-encoded");
  }
  return text.starts_with('/') ? std::string(text) : "/" + std::string(text);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_alphanumeric(c) || is_one_of(c, "-._~")) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace

std::string ServerUrl::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

ServerUrl parse_server_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) throw UrlError("the address is too long");
  std::string_view rest = without_scheme(text);
  const size_t target_begin = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, target_begin);
  if (authority.find('@') != std::string_view::npos) {
    throw UrlError("a user name has no place in the address; the token is read from LATENTDESK_TOKEN");
  }
  ServerUrl url;
  url.host = take_host(authority);
  url.port = parse_port(authority);
  url.target = parse_target(rest.substr(target_begin));
  return url;
}

std::string target_with_token(const ServerUrl& url, std::string_view token) {
  const bool has_query = url.target.find('?') != std::string::npos;
  const bool has_token =
      url.target.find("?token=") != std::string::npos || url.target.find("&token=") != std::string::npos;
  if (token.empty() || has_token) return url.target;
  return url.target + (has_query ? "&token=" : "?token=") + percent_encoded(token);
}

}  // namespace latentdesk
