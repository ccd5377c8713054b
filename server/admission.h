#pragma once

#include "server/access.h"
#include "server/guess_guard.h"
#include "server/handshakes.h"
#include "server/log_budget.h"
#include "server/peer.h"

#include <memory>
#include <optional>
#include <string_view>

namespace latentdesk {

/// What all who ask to look share: rules, tokens, places. Network thread only.
struct Entrance {
  Entrance(AccessRules access_rules, Tokens server_tokens, size_t viewer_limit, Handshakes::Limits limits)
      : rules(access_rules), tokens(server_tokens), max_viewers(viewer_limit), handshakes(limits) {}

  const AccessRules rules;
  const Tokens tokens;
  const size_t max_viewers;
  Handshakes handshakes;
  GuessGuard guesses;
  LogBudget log_budget;  ///< of lines that anybody can cause
  size_t viewers = 0;
};

/// One peer's way in: from when its connection is accepted, over the moment when it is granted access, to
/// when it leaves. It holds a place among the handshakes until then, and among the viewers from then on.
/// Network thread only.
class Admission {
 public:
  /// `abort` ends the connection when the handshake's time is up or its place is needed.
  Admission(std::shared_ptr<Entrance> entrance, Peer peer, const boost::asio::any_io_executor& executor,
            Handshakes::Abort abort);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  const Peer& peer() const { return peer_; }

  /// For an answer that takes longer than a handshake may; before access has been granted.
  void allow_time(std::chrono::milliseconds time) { handshake_->allow(time); }

  /// The peer came through TLS.
  void set_encrypted() { facts_.encrypted = true; }
  /// It may speak for somebody else than the user that it belongs to, so that counts for nothing.
  void distrust_user() { facts_.own_user = false; }

  /// Asks for access: with the token of the request's target or of `hello`, or without one. May be called for
  /// both; the last answer holds, and without a token one that was granted stays. A refusal has been logged,
  /// and counted against guessing; the caller tells the peer, with http_status or close_code, and ends the
  /// connection. Only an answer of token_needed to a request may wait for hello's token, for as long as the
  /// handshake's time allows.
  Decision enter(std::optional<std::string_view> token);

  /// What has been granted; nothing: no pixel may be sent, and nothing be done.
  const std::optional<Access>& access() const { return access_; }

 private:
  Decision judge(std::optional<std::string_view> token);
  void take_place(Decision& decision);
  void log(const Decision& decision) const;

  const std::shared_ptr<Entrance> entrance_;
  const Peer peer_;
  PeerFacts facts_;
  std::unique_ptr<Handshakes::Ticket> handshake_;  ///< until access is granted
  std::optional<Access> access_;
  bool has_place_ = false;
};

}  // namespace latentdesk
