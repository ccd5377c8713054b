#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace latentdesk {

/// The connections that have not yet shown that they may look: how many at once, and for how long. Where
/// there would be too many the oldest ends, not the newest: whoever floods ends its own, and a handshake that
/// takes milliseconds finds its place. Network thread only.
class Handshakes {
  struct Entry;

 public:
  struct Limits {
    size_t total = 128;
    size_t group = 32;                      ///< from one Peer::group
    std::chrono::milliseconds time{10000};  ///< for all of it: TLS, HTTP and the token
  };
  using Abort = std::function<void(const char* reason)>;

  /// One connection's place, until it is destroyed; not after its Handshakes.
  class Ticket {
   public:
    Ticket(Handshakes& owner, std::shared_ptr<Entry> entry) : owner_(owner), entry_(std::move(entry)) {}
    ~Ticket() { owner_.remove(entry_); }
    /// What goes on is no handshake any more: from now on it has `time`. Its place stays one among the
    /// handshakes.
    void allow(std::chrono::milliseconds time);
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    Handshakes& owner_;
    std::shared_ptr<Entry> entry_;
  };

  explicit Handshakes(Limits limits) : limits_(limits) {}

  /// `abort` ends the connection when its time is up or its place is needed: once at most, and not after the
  /// ticket is gone.
  std::unique_ptr<Ticket> begin(const boost::asio::any_io_executor& executor, const std::string& group,
                                Abort abort);

  size_t size() const { return entries_.size(); }
  /// How many had to go for newer ones.
  uint64_t evicted() const { return evicted_; }

 private:
  void wait_for_deadline(const std::shared_ptr<Entry>& entry);
  void make_room(const std::string& group);
  void evict_oldest_of(const std::string& group);
  size_t count(const std::string& group) const;
  void remove(const std::shared_ptr<Entry>& entry);

  Limits limits_;
  std::vector<std::shared_ptr<Entry>> entries_;  ///< oldest first
  uint64_t evicted_ = 0;
};

}  // namespace latentdesk
