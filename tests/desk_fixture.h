#pragma once

#include "server/desk.h"
#include "server/virtual_display.h"
#include "server/x11_connection.h"
#include "tests/eventually.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#undef CursorShape  // a macro of Xlib

namespace latentdesk {

/// Of this process alone.
inline std::string temporary_file(const std::string& name) {
  return testing::TempDir() + "desk-" + name + "-" + std::to_string(getpid());
}

/// A desk on a display of its own, and what it has told.
class DeskTest : public testing::Test {
 protected:
  explicit DeskTest(Size size = {800, 600}) : display_(size) {
    setenv("XAUTHORITY", display_.authority_file().c_str(), 1);
    connection_ = std::make_unique<X11Connection>(display_.name());
  }
  ~DeskTest() override {
    if (desk_) desk_->stop();
    if (thread_.joinable()) thread_.join();
  }

  void open_desk(DeskOptions options = {}) {
    options.display = display_.name();
    desk_ = std::make_unique<Desk>(
        options, DeskEvents{[this](CursorShape shape) { note(cursors_, shape); },
                            [this](DeskPointer at) { note(pointers_, at); },
                            [this](std::string text) { note(copied_, text); }, [this] { note(rooms_, 1); }});
    thread_ = std::thread([this] { desk_->run(); });
  }

  template <typename Value>
  void note(std::vector<Value>& values, Value value) {
    std::lock_guard lock(mutex_);
    values.push_back(std::move(value));
  }
  template <typename Value>
  std::optional<Value> last(const std::vector<Value>& values) {
    std::lock_guard lock(mutex_);
    return values.empty() ? std::nullopt : std::optional(values.back());
  }

  void do_all(const std::vector<InputEvent>& events) {
    for (const InputEvent& event : events) desk_->push(event);
  }
  void tap(uint32_t symbol) { do_all({KeyInput{symbol, true}, KeyInput{symbol, false}}); }

  /// A shell command on the display; its output.
  std::string output_of(const std::string& command) {
    const std::string file = temporary_file("output");
    const std::string line =
        "DISPLAY=" + display_.name() + " LC_ALL=C.UTF-8 timeout 20 " + command + " > " + file;
    if (std::system(line.c_str()) != 0) return "failed: " + command;
    return content_of(file);
  }
  static std::string content_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// A window that has the focus and gets the keys.
  Window open_window() {
    Display* display = connection_->get();
    XSetWindowAttributes attributes{};
    attributes.event_mask = KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask;
    attributes.override_redirect = True;
    const Window window = XCreateWindow(display, connection_->root(), 0, 0, 800, 600, 0, CopyFromParent,
                                        InputOutput, nullptr, CWEventMask | CWOverrideRedirect, &attributes);
    XMapRaised(display, window);
    XSync(display, False);
    XSetInputFocus(display, window, RevertToPointerRoot, CurrentTime);
    XSync(display, False);
    return window;
  }

  /// The keysyms of the key presses that have come, as a program sees them.
  std::vector<KeySym> pressed_keysyms(std::chrono::milliseconds time) {
    std::vector<KeySym> seen;
    const auto end = SteadyClock::now() + time;
    while (SteadyClock::now() < end) {
      while (XPending(connection_->get()) > 0) {
        XEvent event;
        XNextEvent(connection_->get(), &event);
        if (event.type == MappingNotify) XRefreshKeyboardMapping(&event.xmapping);
        if (event.type != KeyPress) continue;
        char text[16];
        KeySym symbol = NoSymbol;
        XLookupString(&event.xkey, text, sizeof text, &symbol, nullptr);
        seen.push_back(symbol);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return seen;
  }

  bool is_any_key_down() {
    std::array<char, 32> keys{};
    XQueryKeymap(connection_->get(), keys.data());
    return std::any_of(keys.begin(), keys.end(), [](char byte) { return byte != 0; });
  }
  unsigned buttons_and_modifiers() {
    Window root, child;
    int x, y, window_x, window_y;
    unsigned mask = 0;
    XQueryPointer(connection_->get(), connection_->root(), &root, &child, &x, &y, &window_x, &window_y,
                  &mask);
    return mask;
  }

  VirtualDisplay display_;
  std::unique_ptr<X11Connection> connection_;
  std::mutex mutex_;
  std::vector<CursorShape> cursors_;
  std::vector<DeskPointer> pointers_;
  std::vector<std::string> copied_;
  std::vector<int> rooms_;
  std::unique_ptr<Desk> desk_;
  std::thread thread_;
};

}  // namespace latentdesk
