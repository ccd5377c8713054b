#include "client/trust.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace latentdesk {

namespace {

/// Names of hosts have no case.
std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string shown(const Sha256& fingerprint) { return "SHA256:" + to_string(fingerprint); }

std::string changed_message(const KnownServers& known, const ServerIdentity& identity, const Sha256& before) {
  return "the certificate is not the one of before, so this may be another server that pretends to be it.\n"
         "  now:    " +
         shown(identity.fingerprint) + "\n  before: " + shown(before) +
         "\nIf the server's owner confirms the new fingerprint, remove the line of " + identity.authority +
         " from " + known.path() + ", or demand it with --fingerprint";
}

}  // namespace

std::optional<Sha256> KnownServers::find(const std::string& authority) const {
  std::ifstream file(path_);
  const std::string wanted = lower_case(authority);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name, fingerprint;
    fields >> name >> fingerprint;
    if (lower_case(name) != wanted) continue;
    if (const auto parsed = parse_fingerprint(fingerprint)) return parsed;
    throw Distrust(path_ + ": the line of " + authority + " has no fingerprint; repair or remove it");
  }
  return std::nullopt;
}

void KnownServers::add(const std::string& authority, const Sha256& fingerprint) const {
  const std::string line = lower_case(authority) + " " + shown(fingerprint) + "\n";
  std::error_code ignored;
  if (!path_.empty())
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (fd >= 0) close(fd);
  if (written) return;
  throw Distrust("the server cannot be remembered in '" + path_ +
                 "'; demand its fingerprint with --fingerprint " + shown(fingerprint) +
                 " once its owner has confirmed it");
}

std::string default_known_servers() {
  constexpr const char* kName = "/latentdesk/known_servers";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data) return std::string(data) + kName;
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.local/share" + kName;
  return {};
}

void check_identity(const TrustConfig& config, const ServerIdentity& identity) {
  if (config.fingerprint) {
    if (*config.fingerprint == identity.fingerprint) return;
    throw Distrust("the certificate is not the one demanded by --fingerprint; it is " +
                   shown(identity.fingerprint));
  }
  if (identity.authority_error.empty()) return;
  const KnownServers known(config.known_servers);
  if (const auto before = known.find(identity.authority)) {
    if (*before == identity.fingerprint) return;
    throw Distrust(changed_message(known, identity, *before));
  }
  known.add(identity.authority, identity.fingerprint);
  spdlog::warn(
      "{}: first connection, and no authority vouches for its certificate ({}). Compare its fingerprint "
      "with the one in the server's log: {}. It is remembered in {}",
      identity.authority, identity.authority_error, shown(identity.fingerprint), known.path());
}

}  // namespace latentdesk
