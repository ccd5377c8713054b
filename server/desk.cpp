#include "server/desk.h"

#include "server/capture.h"
#include "server/x11_desk.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace latentdesk {

namespace {
constexpr auto kRetryPeriod = std::chrono::seconds(1);
}

Desk::Desk(const DeskOptions& options, DeskEvents events)
    : options_(options), events_(std::move(events)), queue_(events_.on_room), desk_(open()) {}

Desk::~Desk() = default;

std::unique_ptr<X11Desk> Desk::open() {
  auto desk = std::make_unique<X11Desk>(options_, events_);
  can_resize_ = desk->can_resize();
  return desk;
}

void Desk::run() {
  while (!stopping_) {
    try {
      if (!desk_) desk_ = open();
      serve(*desk_);
    } catch (const CaptureLost&) {  // the capture tells it in the log
      desk_.reset();
      is_holding_ = false;
      wait_for_server();
    }
  }
  desk_.reset();
}

void Desk::serve(X11Desk& desk) {
  while (!stopping_) {
    desk.watch_clipboard(clipboard_wanted_);
    const auto next = desk.work(queue_);
    is_holding_ = desk.is_holding();
    desk.wait(wake_.fd(), next);
    wake_.clear();
  }
}

/// Nobody can type meanwhile.
void Desk::wait_for_server() {
  const auto until = SteadyClock::now() + kRetryPeriod;
  while (!stopping_ && SteadyClock::now() < until) {
    while (queue_.pop()) {
    }
    wait_readable(-1, wake_.fd(), until);
    wake_.clear();
  }
}

void Desk::stop() {
  stopping_ = true;
  wake_.signal();
}

bool Desk::push(DeskCommand command) {
  const bool has_room = queue_.push(std::move(command));
  wake_.signal();
  return has_room;
}

void Desk::watch_clipboard(bool wanted) {
  if (clipboard_wanted_.exchange(wanted) != wanted) wake_.signal();
}

}  // namespace latentdesk
