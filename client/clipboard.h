#pragma once

#include <optional>
#include <string>

namespace latentdesk {

/// Keeps the clipboards of both sides the same, without sending back what came. Main thread.
class ClipboardSync {
 public:
  /// The server's side has copied this.
  void take_remote(std::string text);

  /// Something was copied here, or a server is there that has not seen what was.
  void look_again() { is_new_ = true; }

  /// What was copied here and the server does not have. May wait up to a second for the program that has it.
  /// Throws std::runtime_error when it is too much to send.
  std::optional<std::string> take_local();

 private:
  bool is_new_ = true;
  std::string shared_;  ///< what both sides have
};

}  // namespace latentdesk
