#pragma once

#include "client/pool.h"
#include "client/trust.h"
#include "client/url.h"
#include "common/bounded_queue.h"
#include "common/clock.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace latentdesk {

using Bytes = std::vector<uint8_t>;

/// One whole binary WebSocket message.
struct Message {
  Pool<Bytes>::Pointer bytes;
  SteadyTime received;      ///< the last byte was read
  uint64_t connection = 0;  ///< number of the connection it came over; later ones have higher numbers
  bool is_stream = false;   ///< of latentdesk.2, else of the baseline
};

/// Drop policy: none. While the queue is full nothing is read from the socket, so TCP holds the server back.
using MessageQueue = BoundedQueue<Message>;

struct ConnectionStatus {
  enum class State { connecting, connected, waiting };

  State state = State::connecting;
  uint64_t connects = 0;                  ///< WebSocket handshakes done
  std::string reason = {};                ///< why the last connection failed or ended; empty when none has
  std::chrono::milliseconds retry_in{0};  ///< of `waiting`
};

struct ConnectionConfig {
  ServerUrl url;
  std::string token;       ///< empty: none
  TrustConfig trust = {};  ///< of a server that speaks TLS
  /// Makes our first message over a connection, to a server that speaks latentdesk.2; empty: we do not. What
  /// came over earlier connections counts for nothing from then on. Network thread.
  std::function<std::string(uint64_t connection)> hello = {};
  std::function<void()> on_status = {};  ///< network thread, after each change of status; may be empty
  std::function<void(std::exception_ptr)> on_failure =
      {};  ///< network thread, once: an error of our own ended
           ///< it, or a refusal that trying again does not change
};

/// A WebSocket client on a thread of its own, the network thread. Connects, pushes each binary message to the
/// queue, ignores text messages, and connects again whenever the connection fails or ends: at once and often
/// when it was lost, else with back-off.
class Connection {
 public:
  /// Starts the network thread. `messages` and `buffers` must outlive the connection.
  Connection(ConnectionConfig config, MessageQueue& messages, Pool<Bytes>& buffers);
  /// As stop().
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Closes the message queue and the connection, and joins the network thread. Owner's thread.
  void stop();

  /// Closes `connection`, unless it is gone already, since its server broke the protocol. Any thread.
  void refuse(uint64_t connection, const std::string& reason);

  /// Sends a whole message over `connection`, unless it is gone. Any thread.
  void send(uint64_t connection, std::string message);

  /// A good frame came over `connection`: when it is lost, that was a good one. Any thread.
  void confirm(uint64_t connection);

  /// Any thread.
  ConnectionStatus status() const;

 private:
  class Network;
  std::unique_ptr<Network> network_;
};

}  // namespace latentdesk
