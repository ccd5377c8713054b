#pragma once

#include "common/net/tls.h"

#include <optional>
#include <stdexcept>
#include <string>

namespace latentdesk {

/// What makes the viewer trust a server's certificate.
struct TrustConfig {
  std::optional<Sha256> fingerprint = {};  ///< the only one to be taken, when given
  std::string known_servers = {};          ///< file of what was met before; see KnownServers
};

/// What a server showed.
struct ServerIdentity {
  std::string authority;        ///< `host:port` as the user wrote it
  Sha256 fingerprint{};         ///< of its certificate
  std::string authority_error;  ///< why no known certificate authority vouches for it; empty when one does
};

/// The server may be another one than the user wants; the message says what to do.
class Distrust : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A text file with a line for each server, `host:port SHA256:AB:CD:...`; other lines are ignored.
class KnownServers {
 public:
  explicit KnownServers(std::string path) : path_(std::move(path)) {}

  std::optional<Sha256> find(const std::string& authority) const;
  /// Creates the file, readable by its owner alone, when there is none. Throws Distrust when it cannot be
  /// written: a server that is not remembered would be new every time.
  void add(const std::string& authority, const Sha256& fingerprint) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// $XDG_DATA_HOME/latentdesk/known_servers or ~/.local/share/latentdesk/known_servers; empty when neither
/// variable is set.
std::string default_known_servers();

/// Returns when the server may be trusted: it shows the fingerprint that is demanded; or none is demanded,
/// and a certificate authority vouches for it, or it is the one met before, or none was met before under this
/// name: then it is remembered, and the log shows its fingerprint. Throws Distrust.
void check_identity(const TrustConfig& config, const ServerIdentity& identity);

}  // namespace latentdesk
