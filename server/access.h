#pragma once

#include "common/net/tls.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latentdesk {

/// What a viewer may do that has been let in: look, and with control also type, point and change things.
struct Access {
  bool control = false;
};

enum class TokenClass {
  none,       ///< none was given
  wrong,      ///< not one of ours
  view_only,  ///< the one for looking
  full,       ///< the one for everything
};

/// The server's tokens, kept as hashes only. Immutable.
class Tokens {
 public:
  Tokens() = default;
  /// Empty: there is no such token. Throws std::runtime_error when both are the same.
  Tokens(std::string_view full, std::string_view view_only);

  bool any() const { return full_ || view_only_; }

  /// Takes the same time for every wrong token of the same length.
  TokenClass classify(std::optional<std::string_view> token) const;

 private:
  std::optional<Sha256> full_;
  std::optional<Sha256> view_only_;
};

/// What is known of a peer when it asks to look.
struct PeerFacts {
  bool own_user = false;   ///< on this machine, its socket belongs to our user or to root
  bool encrypted = false;  ///< it came over TLS
  bool loopback = false;
  TokenClass token = TokenClass::none;
};

struct AccessRules {
  bool has_tokens = false;
  bool insecure = false;  ///< --insecure: neither TLS nor a token is demanded of anybody where none is set
};

enum class Refusal {
  none,
  token_needed,  ///< come back with a token
  wrong_token,
  forbidden,  ///< no token would help
  wait,       ///< too many wrong tokens from there
  full,       ///< too many viewers
};

/// Either access, or why not.
struct Decision {
  std::optional<Access> access;
  Refusal refusal = Refusal::none;
  std::string reason = {};  ///< one line for the peer and the log; empty when there is access
};

/// Who may look. Pure.
///
/// 1. A token that is not ours is refused, whoever gives it.
/// 2. A token of ours gives what it is for.
/// 3. Without one: our own user on this machine may do everything; where no token is set and --insecure is
///    said, so may everybody; all others are refused.
/// Beyond loopback all of that holds over TLS only, unless --insecure is said.
Decision decide(const AccessRules& rules, const PeerFacts& peer);

/// Status of the HTTP answer, and code of the close frame, that tell a refusal.
unsigned http_status(Refusal refusal);
uint16_t close_code(Refusal refusal);

}  // namespace latentdesk
