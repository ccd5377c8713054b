#pragma once

#include "server/demand.h"
#include "server/packet.h"
#include "server/stream_encoder.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>

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
    std::function<void(uint64_t viewer)> remove;
    std::function<void(bool)> want_cursor = [](bool) {};  ///< in pictures: baseline viewers are there
  };

  Hub(boost::asio::io_context& context, Demand& demand, Upstream upstream);

  void join(const std::shared_ptr<Viewer>& viewer);
  void leave(const std::shared_ptr<Viewer>& viewer);
  /// Returns the viewer's number, for request and leave.
  uint64_t join(const std::shared_ptr<StreamViewer>& viewer);
  void leave(uint64_t viewer);
  void request(uint64_t viewer, const StreamRequest& request);

  /// A viewer has become ready, or is no more.
  void update_demand();
  void deliver(PacketPtr packet);
  void deliver(StreamDelivery delivery);
  void close_all();

  size_t viewers() const { return viewers_.size() + stream_viewers_.size(); }

 private:
  void broadcast();
  void repeat_later();

  boost::asio::steady_timer repeat_timer_;
  Demand& demand_;
  Upstream upstream_;
  std::set<std::shared_ptr<Viewer>> viewers_;
  std::map<uint64_t, std::shared_ptr<StreamViewer>> stream_viewers_;
  uint64_t last_stream_viewer_ = 0;
  bool packets_wanted_ = false;
  PacketPtr newest_;
};

}  // namespace latentdesk
