#pragma once

#include <functional>
#include <memory>
#include <optional>

namespace latentdesk {

/// Waits, on a thread of its own, for what ends the program from outside: SIGINT, SIGTERM, or the time that
/// was asked for. A second signal ends the program at once. Main thread.
class EndWatch {
 public:
  /// `on_end` is called on the watch's thread, perhaps more than once; `max_seconds` counts from here.
  EndWatch(std::optional<double> max_seconds, std::function<void()> on_end);
  ~EndWatch();

 private:
  struct Wait;
  std::unique_ptr<Wait> wait_;
};

}  // namespace latentdesk
