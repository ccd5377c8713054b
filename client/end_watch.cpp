#include "client/end_watch.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

namespace latentdesk {

namespace net = boost::asio;
using boost::system::error_code;

struct EndWatch::Wait {
  Wait(std::optional<double> max_seconds, std::function<void()> end) : on_end(std::move(end)) {
    signals.async_wait([this](error_code error, int) {
      if (error) return;
      signals.clear();  // brings the default action back, for a user who cannot wait for the clean end
      on_end();
    });
    if (max_seconds) {
      timer.expires_after(std::chrono::duration_cast<net::steady_timer::duration>(
          std::chrono::duration<double>(*max_seconds)));
      timer.async_wait([this](error_code error) {
        if (!error) on_end();
      });
    }
    thread = std::thread([this] { context.run(); });
  }

  ~Wait() {
    context.stop();
    thread.join();
  }

  const std::function<void()> on_end;
  net::io_context context{1};
  net::signal_set signals{context, SIGINT, SIGTERM};
  net::steady_timer timer{context};
  std::thread thread;
};

EndWatch::EndWatch(std::optional<double> max_seconds, std::function<void()> on_end)
    : wait_(std::make_unique<Wait>(max_seconds, std::move(on_end))) {}
EndWatch::~EndWatch() = default;

}  // namespace latentdesk
