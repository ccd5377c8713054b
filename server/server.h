#pragma once

#include "common/latest.h"
#include "server/capture_loop.h"
#include "server/demand.h"
#include "server/desk.h"
#include "server/encode_loop.h"
#include "server/gate.h"
#include "server/hub.h"
#include "server/options.h"
#include "server/seats.h"
#include "server/server_tls.h"
#include "server/static_files.h"
#include "server/stream_session.h"
#include "server/virtual_display.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <thread>

namespace latentdesk {

/// The whole server: capture thread -> encode thread -> network thread, which is the one that calls `run`;
/// and from there -> desk thread.
class Server {
 public:
  /// Opens everything that can fail, so that errors come before viewers do. Throws std::runtime_error.
  explicit Server(const ServerOptions& options);
  ~Server();

  /// Serves until SIGINT, SIGTERM or `stop`. Rethrows what ended a worker thread.
  void run();
  /// Any thread.
  void stop();

  boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  std::unique_ptr<Desk> open_desk();
  void announce() const;
  void start_worker(std::thread& thread, const char* name, std::function<void()> work);
  void wait_for_stop_signal();
  void wait_for_ended_children();
  void check_children();
  void stop_workers();

  const ServerOptions options_;
  boost::asio::io_context context_;
  boost::asio::signal_set stop_signals_;
  boost::asio::signal_set child_signals_;
  std::unique_ptr<VirtualDisplay> virtual_display_;
  std::unique_ptr<ChildProcess> desktop_program_;
  ServerTls tls_;
  boost::asio::ip::tcp::acceptor acceptor_;

  Demand demand_;
  Latest<Frame> frames_;
  Doorbell bell_;  ///< wakes the encode thread
  CaptureLoop capture_loop_;
  std::unique_ptr<Desk> desk_;  ///< null where there is no X display
  Seats seats_;
  Hub hub_;
  StreamConfig stream_config_;
  std::shared_ptr<StaticFiles> files_;
  Gate gate_;
  std::unique_ptr<EncodeLoop> encode_loop_;
  std::thread capture_thread_;
  std::thread encode_thread_;
  std::thread desk_thread_;
  std::exception_ptr failure_;  ///< what ended a worker; network thread only
};

}  // namespace latentdesk
