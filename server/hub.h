#pragma once

#include "server/demand.h"
#include "server/packet.h"
#include "server/resumable_sessions.h"
#include "server/stream_encoder.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace latentdesk {

/// What the hub needs of a baseline session. Network thread only.
class Viewer {
 public:
  virtual ~Viewer() = default;
  /// Takes the newest packet; one that it has not begun to send is replaced.
  virtual void offer(PacketPtr packet) = 0;
  /// Nothing is being sent to it.
  virtual bool is_ready() const = 0;
  virtual void close() = 0;
};

/// What the hub needs of a session of latentdesk.2. Network thread only.
class StreamViewer {
 public:
  virtual ~StreamViewer() = default;
  virtual void take(StreamDelivery delivery) = 0;
  /// An update can be sent to it, or one that it has asked for is being made.
  virtual bool is_ready() const = 0;
  virtual void close() = 0;
  /// Its viewer has come back over another connection: this one ends.
  virtual SessionProgress hand_over() = 0;
};

/// How a session of latentdesk.2 begins.
struct SessionStart {
  uint64_t viewer = 0;  ///< the hub's number
  std::string secret;   ///< by which its viewer can come back
  bool resumed = false;
};

/// Hands what the encode thread makes to the viewers, and tells it what they can take: while nobody can take
/// anything, nothing is captured. Repeats baseline pictures once a second on an idle desktop. Network thread
/// only.
class Hub {
 public:
  /// What the hub tells the other threads.
  struct Upstream {
    std::function<void()> refresh;                                       ///< capture though nothing changed
    std::function<void(bool)> want_packets;                              ///< a baseline viewer can take one
    std::function<void(uint64_t viewer, const StreamRequest&)> request;  ///< of a viewer of latentdesk.2
    std::function<void()> wake;  ///< requests have been made, several at a time
    std::function<void(uint64_t viewer)> remove;
    std::function<void(uint64_t viewer)> park;  ///< as StreamEncoder's
    std::function<void(uint64_t from, uint64_t to, uint64_t updates)> resume;
    std::function<void(bool)> want_cursor = [](bool) {};  ///< in pictures: baseline viewers are there
  };

  Hub(boost::asio::io_context& context, Demand& demand, Upstream upstream);

  void join(const std::shared_ptr<Viewer>& viewer);
  void leave(const std::shared_ptr<Viewer>& viewer);
  /// With what the viewer has, where it wishes to go on with a session that is there still.
  SessionStart join(const std::shared_ptr<StreamViewer>& viewer, const SessionTerms& terms,
                    const std::optional<Resumption>& wish);
  void leave(uint64_t viewer);
  /// As leave, but it may come back.
  void park(uint64_t viewer, const SessionProgress& progress);
  void request(uint64_t viewer, const StreamRequest& request);

  /// A viewer has become ready, or is no more.
  void update_demand();
  void deliver(PacketPtr packet);
  void deliver(std::vector<StreamDelivery> deliveries);
  void close_all();

  size_t viewers() const { return viewers_.size() + stream_viewers_.size(); }

 private:
  void broadcast();
  void repeat_later();

  boost::asio::io_context& context_;
  boost::asio::steady_timer repeat_timer_;
  Demand& demand_;
  Upstream upstream_;
  std::set<std::shared_ptr<Viewer>> viewers_;
  std::map<uint64_t, std::shared_ptr<StreamViewer>> stream_viewers_;
  uint64_t last_stream_viewer_ = 0;
  ResumableSessions sessions_;
  bool packets_wanted_ = false;
  bool will_wake_ = false;  ///< the encode thread, once what else is ready here has been done
  PacketPtr newest_;
};

}  // namespace latentdesk
