#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace latentdesk {

/// A server address that cannot be used; the message says why.
class UrlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr uint16_t kDefaultPort = 8765;

/// Where a server is: `[ws[s]://]host[:port][/path][?query][#token=...]`; http and https mean ws and wss.
/// Without a scheme it is wss, but ws on this machine: as servers listen unless told otherwise.
struct ServerUrl {
  std::string host;  ///< name or address; IPv6 without its brackets
  uint16_t port = kDefaultPort;
  std::string target =
      "/";  ///< path and query, as sent in the request line; may hold a token, so not for the log
  bool tls = false;
  std::string token = {};  ///< of the fragment, decoded; never logged

  bool operator==(const ServerUrl&) const = default;

  /// `host:port`, IPv6 in brackets: for the Host header, the log and the title.
  std::string authority() const;
  /// The host is written as this machine.
  bool is_loopback() const;
};

/// Strict: throws UrlError for another scheme, user information, another fragment than a token, a port out of
/// range, or characters that have no place in a request line.
ServerUrl parse_server_url(std::string_view text);

/// The target with `token=...` added to its query, percent-encoded: the address's own token, else `token`.
/// Unchanged when there is none or the query has one already.
std::string target_with_token(const ServerUrl& url, std::string_view token);

}  // namespace latentdesk
