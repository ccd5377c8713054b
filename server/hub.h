#pragma once

#include "server/demand.h"
#include "server/packet.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <set>

namespace latentdesk {

/// What the hub needs of a session. Network thread only.
class Viewer {
 public:
  virtual ~Viewer() = default;
  /// Takes the newest packet; one that it has not begun to send is replaced.
  virtual void offer(PacketPtr packet) = 0;
  /// Nothing is being sent to it.
  virtual bool is_ready() const = 0;
  virtual void close() = 0;
};

/// Hands the newest packet to every viewer, and repeats it once a second on an idle desktop. Knows whether
/// any viewer can take more. Network thread only.
class Hub {
 public:
  /// `refresh` asks for a picture although nothing has changed, when the first viewer comes.
  Hub(boost::asio::io_context& context, Demand& demand, std::function<void()> refresh);

  void join(const std::shared_ptr<Viewer>& viewer);
  void leave(const std::shared_ptr<Viewer>& viewer);
  /// A viewer has become ready, or is no more.
  void update_demand();
  void deliver(PacketPtr packet);
  void close_all();

  size_t viewers() const { return viewers_.size(); }

 private:
  void broadcast();
  void repeat_later();

  boost::asio::steady_timer repeat_timer_;
  Demand& demand_;
  std::function<void()> refresh_;
  std::set<std::shared_ptr<Viewer>> viewers_;
  PacketPtr newest_;
};

}  // namespace latentdesk
