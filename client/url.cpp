#include "client/url.h"

#include "common/protocol.h"

#include <algorithm>
#include <charconv>
#include <optional>

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

/// Takes the scheme off the front of `rest`; whether it asks for TLS. Nothing when there is none.
std::optional<bool> take_scheme(std::string_view& rest) {
  const size_t end = rest.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  std::string scheme(rest.substr(0, end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  rest.remove_prefix(end + 3);
  if (scheme == "wss" || scheme == "https") return true;
  if (scheme == "ws" || scheme == "http") return false;
  throw UrlError("scheme " + printable(scheme) + ":// is not supported; use wss:// or ws://");
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
  if (!std::all_of(text.begin(), text.end(), is_target_character)) {
    throw UrlError("the path or query has a character that must be percent-encoded");
  }
  return text.starts_with('/') ? std::string(text) : "/" + std::string(text);
}

int hex_value(char c) {
  int value = -1;
  std::from_chars(&c, &c + 1, value, 16);
  return value;
}

/// The token of a fragment, `#token=...`; empty when there is no fragment.
std::string parse_fragment(std::string_view text) {
  constexpr std::string_view kName = "#token=";
  if (text.empty()) return {};
  if (!text.starts_with(kName)) throw UrlError("the address has a fragment (#) that is not #token=...");
  text.remove_prefix(kName.size());
  std::string token;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_target_character(text[i]))
        throw UrlError("the token has a character that must be percent-encoded");
      token += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) throw UrlError("the token has a percent sign that begins no byte");
    token += static_cast<char>(high << 4 | low);
    i += 2;
  }
  if (token.empty()) throw UrlError("the token is empty");
  return token;
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

bool ServerUrl::is_loopback() const {
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "::1" || (is_ipv4 && host.starts_with("127."));
}

ServerUrl parse_server_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes) throw UrlError("the address is too long");
  ServerUrl url;
  std::string_view rest = text;
  const std::optional<bool> asks_for_tls = take_scheme(rest);
  const size_t target_begin = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, target_begin);
  if (authority.find('@') != std::string_view::npos) {
    throw UrlError("a user name has no place in the address; the token is read from LATENTDESK_TOKEN");
  }
  url.host = take_host(authority);
  url.port = parse_port(authority);
  url.tls = asks_for_tls.value_or(!url.is_loopback());
  rest.remove_prefix(target_begin);
  const size_t fragment_begin = std::min(rest.find('#'), rest.size());
  url.target = parse_target(rest.substr(0, fragment_begin));
  url.token = parse_fragment(rest.substr(fragment_begin));
  return url;
}

std::string target_with_token(const ServerUrl& url, std::string_view token) {
  const bool has_query = url.target.find('?') != std::string::npos;
  const bool has_token =
      url.target.find("?token=") != std::string::npos || url.target.find("&token=") != std::string::npos;
  if (!url.token.empty()) token = url.token;
  if (token.empty() || has_token) return url.target;
  return url.target + (has_query ? "&token=" : "?token=") + percent_encoded(token);
}

}  // namespace latentdesk
