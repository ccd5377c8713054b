#include "client/desk_news.h"

#include <utility>

namespace latentdesk {

namespace {

/// Puts a message into its slot.
struct Sorter {
  DeskNews& news;

  void operator()(ServerHello& hello) const { news.hello = std::move(hello); }
  void operator()(Control& control) const { news.control = control.state; }
  void operator()(CursorShape& cursor) const { news.cursor = std::move(cursor); }
  void operator()(PointerPosition& pointer) const { news.pointer = pointer; }
  void operator()(Clipboard& clipboard) const { news.clipboard = std::move(clipboard.text); }
  void operator()(Notice& notice) const { news.notice = std::move(notice.text); }
  void operator()(Bye& bye) const { news.notice = "The server says goodbye: " + bye.reason; }
  template <typename Other>
  void operator()(Other&) const {}
};

}  // namespace

void DeskNewsBox::put(uint64_t connection, ServerMessage message) {
  std::lock_guard lock(mutex_);
  if (connection != news_.connection) {
    std::optional<std::string> notice = std::move(news_.notice);  // why the last one ended
    news_ = {.connection = connection, .notice = std::move(notice)};
  }
  std::visit(Sorter{news_}, message);
}

DeskNews DeskNewsBox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(news_, DeskNews{.connection = news_.connection});
}

}  // namespace latentdesk
