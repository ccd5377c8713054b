#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace latentdesk {

/// Slows the guessing of tokens: after its nth wrong one, a peer's tokens are not looked at for 2^(n-1)
/// seconds, at most ten minutes. What has been quiet for an hour is forgotten; a right token forgets nothing,
/// or whoever has the view-only one could guess the other as fast as they liked. One thread.
class GuessGuard {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long the tokens of this peer are not looked at yet; zero or less: they are.
  Clock::duration wait_of(const std::string& peer, Clock::time_point now) const {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? Clock::duration::zero() : found->second.blocked_until - now;
  }

  /// A wrong token came from there.
  void add_failure(const std::string& peer, Clock::time_point now) {
    forget_old(now);
    Failures& failures = peers_[peer];
    if (failures.blocked_until + kMemory < now) failures = {};
    const int doublings = std::min(failures.count++, kMaxDoublings);
    failures.blocked_until = now + std::min<Clock::duration>(kFirstWait * (1 << doublings), kLongestWait);
  }

  size_t size() const { return peers_.size(); }

  static constexpr std::chrono::seconds kFirstWait{1};
  static constexpr std::chrono::seconds kLongestWait{600};
  static constexpr std::chrono::hours kMemory{1};
  static constexpr size_t kMaxPeers = 4096;  ///< a bound on memory against many addresses

 private:
  struct Failures {
    int count = 0;
    Clock::time_point blocked_until{};
  };

  static constexpr int kMaxDoublings = 10;

  /// Makes room for one more; when all are recent, by forgetting who is free soonest.
  void forget_old(Clock::time_point now) {
    if (peers_.size() < kMaxPeers) return;
    std::erase_if(peers_, [now](const auto& peer) { return peer.second.blocked_until + kMemory < now; });
    if (peers_.size() < kMaxPeers) return;
    peers_.erase(std::min_element(peers_.begin(), peers_.end(), [](const auto& a, const auto& b) {
      return a.second.blocked_until < b.second.blocked_until;
    }));
  }

  std::map<std::string, Failures> peers_;
};

}  // namespace latentdesk
