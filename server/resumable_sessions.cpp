#include "server/resumable_sessions.h"

#include "common/net/tls.h"

#include <algorithm>
#include <array>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <utility>

namespace latentdesk {

namespace {

std::string new_secret() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<uint8_t, 16> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("no random numbers: " + tls_error());
  std::string secret;
  for (const uint8_t byte : bytes) secret += {kDigits[byte >> 4], kDigits[byte & 15]};
  return secret;
}

/// Takes the same time wherever they differ.
bool is_same(const std::string& secret, const std::string& named) {
  return secret.size() == named.size() && CRYPTO_memcmp(secret.data(), named.data(), secret.size()) == 0;
}

}  // namespace

ResumableSessions::ResumableSessions(boost::asio::io_context& context, Forget forget)
    : forget_(std::move(forget)), expiry_(context) {}

std::string ResumableSessions::begin(uint64_t viewer, const SessionTerms& terms, HandOver hand_over) {
  sessions_.push_back(
      {.viewer = viewer, .secret = new_secret(), .terms = terms, .hand_over = std::move(hand_over)});
  return sessions_.back().secret;
}

std::optional<ResumableSessions::Resumed> ResumableSessions::find(const Resumption& wish,
                                                                  const SessionTerms& terms) {
  auto found = sessions_.end();
  uint64_t updates = 0;
  for (auto session = sessions_.begin(); session != sessions_.end();
       ++session) {  // all, to tell nothing by time
    const bool newest = is_same(session->secret, wish.session);
    const bool before = session->before && is_same(session->before->session, wish.session) &&
                        session->before->updates == wish.updates;
    if ((!newest && !before) || session->terms != terms) continue;
    found = session;
    updates = newest ? wish.updates : 0;
  }
  if (found == sessions_.end()) return std::nullopt;
  if (found->hand_over) found->progress = std::exchange(found->hand_over, nullptr)();
  if (updates >= found->progress.acknowledged && updates <= found->progress.sent)
    return Resumed{found->viewer, updates};
  forget_(found->viewer);
  sessions_.erase(found);
  return std::nullopt;
}

std::string ResumableSessions::succeed(const Resumption& wish, uint64_t viewer, uint64_t successor,
                                       HandOver hand_over) {
  const auto session = of(viewer);
  session->viewer = successor;
  session->secret = new_secret();
  session->before = wish;
  session->hand_over = std::move(hand_over);
  return session->secret;
}

void ResumableSessions::park(uint64_t viewer, const SessionProgress& progress) {
  const auto session = of(viewer);
  if (session == sessions_.end()) return;
  const auto now = SteadyClock::now();
  session->hand_over = nullptr;
  session->progress = progress;
  session->until = now + kKept;
  sessions_.splice(sessions_.end(), sessions_, session);
  forget_until(now);
  expire_later();
}

void ResumableSessions::end(uint64_t viewer) {
  const auto session = of(viewer);
  if (session != sessions_.end()) sessions_.erase(session);
}

bool ResumableSessions::is_parked(const Session& session) { return !session.hand_over; }

ResumableSessions::Sessions::iterator ResumableSessions::of(uint64_t viewer) {
  return std::find_if(sessions_.begin(), sessions_.end(),
                      [viewer](const Session& session) { return session.viewer == viewer; });
}

void ResumableSessions::forget_until(SteadyTime now) {
  auto parked = static_cast<size_t>(std::count_if(sessions_.begin(), sessions_.end(), is_parked));
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    const auto session = next++;
    if (!is_parked(*session) || (parked <= kMostParked && session->until > now)) continue;
    --parked;
    forget_(session->viewer);
    sessions_.erase(session);
  }
}

void ResumableSessions::expire_later() {
  const auto oldest = std::find_if(sessions_.begin(), sessions_.end(), is_parked);
  if (oldest == sessions_.end()) return;
  expiry_.expires_at(oldest->until);
  expiry_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    forget_until(SteadyClock::now());
    expire_later();
  });
}

}  // namespace latentdesk
