#include "server/access.h"

#include <stdexcept>

namespace latentdesk {

namespace {

std::optional<Sha256> hashed(std::string_view token) {
  if (token.empty()) return std::nullopt;
  return sha256(token);
}

Decision refused(Refusal refusal, std::string reason) { return {std::nullopt, refusal, std::move(reason)}; }

Decision decide_without_token(const AccessRules& rules, const PeerFacts& peer) {
  if (peer.own_user || (rules.insecure && !rules.has_tokens)) return {Access{.control = true}};
  if (rules.has_tokens) return refused(Refusal::token_needed, "a token is needed");
  return refused(Refusal::forbidden,
                 "only the user who runs this server may look, since it has no token for others");
}

}  // namespace

Tokens::Tokens(std::string_view full, std::string_view view_only)
    : full_(hashed(full)), view_only_(hashed(view_only)) {
  if (full_ && full_ == view_only_)
    throw std::runtime_error("the view-only token is the same as the other one");
}

TokenClass Tokens::classify(std::optional<std::string_view> token) const {
  if (!token) return TokenClass::none;
  const Sha256 given = sha256(*token);
  // Both are compared always, so that the time tells nothing.
  const bool is_full = equal_in_constant_time(given, full_.value_or(Sha256{})) && full_;
  const bool is_view_only = equal_in_constant_time(given, view_only_.value_or(Sha256{})) && view_only_;
  if (is_full) return TokenClass::full;
  return is_view_only ? TokenClass::view_only : TokenClass::wrong;
}

Decision decide(const AccessRules& rules, const PeerFacts& peer) {
  if (!peer.loopback && !peer.encrypted && !rules.insecure)
    return refused(Refusal::forbidden, "connections from other machines must be encrypted (https, wss)");
  switch (peer.token) {
    case TokenClass::full:
      return {Access{.control = true}};
    case TokenClass::view_only:
      return {Access{.control = false}};
    case TokenClass::wrong:
      // Where there is none to compare with, one that was given is no reason to keep anybody out.
      if (rules.has_tokens) return refused(Refusal::wrong_token, "the token is wrong");
      return decide_without_token(rules, peer);
    case TokenClass::none:
      return decide_without_token(rules, peer);
  }
  return refused(Refusal::forbidden, "refused");
}

unsigned http_status(Refusal refusal) {
  switch (refusal) {
    case Refusal::token_needed:
    case Refusal::wrong_token:
      return 401;
    case Refusal::wait:
      return 429;
    case Refusal::full:
      return 503;
    case Refusal::none:
    case Refusal::forbidden:
      break;
  }
  return 403;
}

uint16_t close_code(Refusal refusal) {
  switch (refusal) {
    case Refusal::token_needed:
    case Refusal::wrong_token:
      return 4401;
    case Refusal::wait:
      return 4429;
    case Refusal::full:
      return 1013;
    case Refusal::none:
    case Refusal::forbidden:
      break;
  }
  return 4403;
}

}  // namespace latentdesk
