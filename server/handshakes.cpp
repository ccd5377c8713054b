#include "server/handshakes.h"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace latentdesk {

struct Handshakes::Entry {
  boost::asio::steady_timer deadline;
  std::string group;
  Abort abort;
};

std::unique_ptr<Handshakes::Ticket> Handshakes::begin(const boost::asio::any_io_executor& executor,
                                                      const std::string& group, Abort abort) {
  make_room(group);
  const auto entry = std::make_shared<Entry>(
      Entry{boost::asio::steady_timer(executor, limits_.time), group, std::move(abort)});
  entries_.push_back(entry);
  wait_for_deadline(entry);
  return std::make_unique<Ticket>(*this, entry);
}

void Handshakes::wait_for_deadline(const std::shared_ptr<Entry>& entry) {
  entry->deadline.async_wait([this, weak = std::weak_ptr(entry)](boost::system::error_code cancelled) {
    const auto late = weak.lock();
    if (cancelled || !late) return;
    remove(late);
    late->abort("took too long");
  });
}

void Handshakes::Ticket::allow(std::chrono::milliseconds time) {
  const auto& entries = owner_.entries_;
  if (std::find(entries.begin(), entries.end(), entry_) == entries.end()) return;  // it has been ended
  entry_->deadline.expires_after(time);
  owner_.wait_for_deadline(entry_);
}

void Handshakes::make_room(const std::string& group) {
  if (count(group) >= limits_.group) evict_oldest_of(group);
  if (entries_.size() < limits_.total) return;
  const auto busiest =
      std::max_element(entries_.begin(), entries_.end(),
                       [this](const auto& a, const auto& b) { return count(a->group) < count(b->group); });
  evict_oldest_of((*busiest)->group);
}

void Handshakes::evict_oldest_of(const std::string& group) {
  const auto oldest = std::find_if(entries_.begin(), entries_.end(),
                                   [&group](const auto& entry) { return entry->group == group; });
  const auto entry = *oldest;
  remove(entry);
  ++evicted_;
  entry->deadline.cancel();
  entry->abort("made room for newer connections");
}

size_t Handshakes::count(const std::string& group) const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [&group](const auto& entry) { return entry->group == group; }));
}

void Handshakes::remove(const std::shared_ptr<Entry>& entry) { std::erase(entries_, entry); }

}  // namespace latentdesk
