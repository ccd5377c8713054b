#pragma once

#include "client/options.h"
#include "client/picture.h"
#include "client/reporter.h"
#include "client/stream.h"

#include <memory>
#include <string>

namespace latentdesk {

struct WindowConfig {
  std::string server;  ///< shown in the title
  bool full_screen = false;
  DeskOptions desk = {};
  std::string screenshot_file;  ///< of F12; empty: a name with the time, in the current directory
};

/// The viewer's window. Main thread, but for `wake`.
class Window {
 public:
  /// Throws std::runtime_error when there is no display.
  explicit Window(WindowConfig config);
  ~Window();

  /// Makes `run` look at the stream again. Any thread.
  void wake();

  /// Shows the stream until it ends or the user leaves. Returns the last picture; its number is 0 if there
  /// was none.
  Picture run(Stream& stream, Reporter& reporter);

 private:
  class Impl;
  class Presentation;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latentdesk
