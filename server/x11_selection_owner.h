#pragma once

#include "common/clock.h"
#include "server/x11_connection.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

union _XEvent;  // NOLINT(bugprone-reserved-identifier): Xlib's name

namespace latentdesk {

/// Gives a text to the programs that paste (ICCCM, section 2). Desk thread.
class X11SelectionOwner {
 public:
  /// `window` is ours and gets PropertyNotify; `clipboard` the atom of that name.
  X11SelectionOwner(X11Connection& connection, unsigned long window, unsigned long clipboard);

  /// Takes the clipboard and the primary selection.
  void own(std::string text);
  bool handle(const _XEvent& event, SteadyTime now);

  /// Forgets who has not taken its next piece for too long.
  void expire(SteadyTime now);
  std::optional<SteadyTime> next_expiry() const;

 private:
  using Atom = unsigned long;
  struct Atoms {
    Atom clipboard, targets, timestamp, utf8, text, plain_utf8, plain, incr, clock;
  };
  /// To a program that takes a long text piece by piece.
  struct Transfer {
    unsigned long window = 0;
    Atom property = 0, type = 0;
    std::shared_ptr<const std::string> text;
    size_t sent = 0;
    SteadyTime deadline{};
  };

  unsigned long server_time();
  /// Puts the answer into the property; false when we have none for this target.
  bool answer(unsigned long window, Atom property, Atom target, SteadyTime now);
  void put_text(unsigned long window, Atom property, Atom type, std::shared_ptr<const std::string> text,
                SteadyTime now);
  void put_piece(Transfer& transfer, SteadyTime now);

  X11Connection& connection_;
  const unsigned long window_;
  Atoms atoms_{};
  size_t most_at_once_ = 0;  ///< bytes
  unsigned long owned_since_ = 0;
  std::shared_ptr<const std::string> text_;
  std::vector<Transfer> transfers_;
};

}  // namespace latentdesk
