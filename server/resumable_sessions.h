#pragma once

#include "common/clock.h"
#include "common/stream/messages.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace latentdesk {

/// What must be the same when a viewer comes back.
struct SessionTerms {
  bool control = false;  ///< of the token that it gave
  uint32_t slots = 0;    ///< for tiles that it keeps
  bool operator==(const SessionTerms&) const = default;
};

/// Updates of a session, counted from its hello.
struct SessionProgress {
  uint64_t acknowledged = 0;
  uint64_t sent = 0;
};

/// The sessions of latentdesk.2 that a viewer can go on with after its connection was lost: those whose
/// connection seems to live, and those that were parked when it ended, for a minute and up to a number. Each
/// has a secret, 128 random bits, that names it. Network thread only.
class ResumableSessions {
 public:
  static constexpr size_t kMostParked = 32;
  static constexpr auto kKept = std::chrono::seconds(60);

  /// Ends the connection that a session seems to have, for its viewer has come back over another.
  using HandOver = std::function<SessionProgress()>;
  /// A parked session is given up: nobody can come back to it.
  using Forget = std::function<void(uint64_t viewer)>;

  ResumableSessions(boost::asio::io_context& context, Forget forget);

  /// A session begins; its secret.
  std::string begin(uint64_t viewer, const SessionTerms& terms, HandOver hand_over);

  /// A session that a viewer comes back to, and how many of its updates that has applied.
  struct Resumed {
    uint64_t viewer = 0;
    uint64_t updates = 0;
  };
  /// Its old connection, if it hangs still, is ended. Nothing when there is no such session, or when it is
  /// impossible that so many were applied.
  std::optional<Resumed> find(const Resumption& wish, const SessionTerms& terms);
  /// `viewer` goes on as `successor`: a new secret. Until the successor's viewer has acknowledged something
  /// it may not have learnt that, so the old one holds too.
  std::string succeed(const Resumption& wish, uint64_t viewer, uint64_t successor, HandOver hand_over);

  /// The connection was lost.
  void park(uint64_t viewer, const SessionProgress& progress);
  /// The session has ended.
  void end(uint64_t viewer);

 private:
  struct Session {
    uint64_t viewer = 0;
    std::string secret;
    SessionTerms terms;
    HandOver hand_over;  ///< empty: parked
    SessionProgress progress = {};
    SteadyTime until = {};  ///< of a parked one
    std::optional<Resumption> before = {};
  };
  using Sessions = std::list<Session>;

  static bool is_parked(const Session& session);
  Sessions::iterator of(uint64_t viewer);
  void forget_until(SteadyTime now);
  void expire_later();

  const Forget forget_;
  boost::asio::steady_timer expiry_;
  Sessions sessions_;  ///< parked ones in the order in which they were
};

}  // namespace latentdesk
