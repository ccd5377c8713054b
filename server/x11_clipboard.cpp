#include "server/x11_clipboard.h"

#include "common/stream/messages.h"

#include <spdlog/spdlog.h>

#include <stdexcept>

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/extensions/Xfixes.h>

namespace latentdesk {

namespace {

// For the next step of a program that was asked for its text, and for all of them.
constexpr auto kStepTimeout = std::chrono::seconds(3);

std::string utf8_of_latin1(const std::string& text) {
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) utf8 += static_cast<char>(0xc0 | byte >> 6);
    utf8 += byte < 0x80 ? c : static_cast<char>(0x80 | (byte & 0x3f));
  }
  return utf8;
}

}  // namespace

X11Clipboard::X11Clipboard(X11Connection& connection, std::function<void(std::string)> on_copied)
    : connection_(connection), on_copied_(std::move(on_copied)) {
  Display* display = connection_.get();
  int error = 0;
  if (!XFixesQueryExtension(display, &xfixes_event_, &error))
    throw std::runtime_error("the X server has no XFIXES extension; say --clipboard off");
  const auto atom = [display](const char* name) { return XInternAtom(display, name, False); };
  atoms_ = {
      .clipboard = atom("CLIPBOARD"), .text = atom("UTF8_STRING"), .latin1 = XA_STRING, .incr = atom("INCR")};
  for (size_t i = 0; i < transfers_.size(); ++i)
    transfers_[i] = atom(("LATENTDESK_TRANSFER_" + std::to_string(i)).c_str());
  XSetWindowAttributes attributes{};
  attributes.event_mask = PropertyChangeMask;
  window_ = XCreateWindow(display, connection_.root(), -1, -1, 1, 1, 0, 0, InputOnly, nullptr, CWEventMask,
                          &attributes);
  XFixesSelectSelectionInput(display, window_, atoms_.clipboard, XFixesSetSelectionOwnerNotifyMask);
  owner_.emplace(connection_, window_, atoms_.clipboard);
}

X11Clipboard::~X11Clipboard() { XDestroyWindow(connection_.get(), window_); }

void X11Clipboard::set(std::string text) {
  if (known_ == text) return;  // it came from here, and its owner may have it in better forms
  fetch_.reset();
  known_ = text;
  owner_->own(std::move(text));
}

bool X11Clipboard::handle(const _XEvent& event, SteadyTime now) {
  if (event.type == xfixes_event_ + XFixesSelectionNotify) {
    const auto& change = reinterpret_cast<const XFixesSelectionNotifyEvent&>(event);
    if (change.owner == window_) return true;
    fetch_.reset();
    known_.reset();
    if (change.owner != None && is_wanted_) fetch(atoms_.text, change.selection_timestamp, now);
    return true;
  }
  if (event.type == SelectionNotify) {
    const XSelectionEvent& answer = event.xselection;
    if (fetch_ && !fetch_->in_pieces && answer.requestor == window_ && answer.time == fetch_->time &&
        answer.target == fetch_->target)
      take_answer(answer.property, now);
    return true;
  }
  if (event.type == PropertyNotify && event.xproperty.window == window_) {
    const bool is_piece =
        event.xproperty.atom == fetch_->property && event.xproperty.state == PropertyNewValue;
    if (is_piece && fetch_ && fetch_->in_pieces) take_piece(now);
    return true;
  }
  return owner_->handle(event, now);
}

void X11Clipboard::fetch(Atom target, unsigned long time, SteadyTime now) {
  const Atom property = transfers_[next_transfer_++ % transfers_.size()];
  XDeleteProperty(connection_.get(), window_, property);
  fetch_ = Fetch{.target = target, .property = property, .time = time, .deadline = now + kStepTimeout};
  XConvertSelection(connection_.get(), atoms_.clipboard, target, property, window_, time);
}

void X11Clipboard::take_answer(Atom property, SteadyTime now) {
  if (property == None) {
    const bool may_have_latin1 = fetch_->target == atoms_.text;
    return may_have_latin1 ? fetch(atoms_.latin1, fetch_->time, now) : fetch_.reset();
  }
  Atom type = None;
  size_t bytes = 0;
  if (!read_property(type, bytes)) return;
  if (type != atoms_.incr) return finish();
  fetch_->text.clear();  // it was the size
  fetch_->in_pieces = true;
  fetch_->deadline = now + kStepTimeout;
}

void X11Clipboard::take_piece(SteadyTime now) {
  Atom type = None;
  size_t bytes = 0;
  if (!read_property(type, bytes)) return;
  if (bytes == 0) return finish();
  fetch_->deadline = now + kStepTimeout;
}

bool X11Clipboard::read_property(Atom& type, size_t& bytes) {
  int format = 0;
  unsigned long items = 0, left = 0;
  unsigned char* data = nullptr;
  constexpr long kMostWords = kMaxClipboardBytes / 4 + 1;
  XGetWindowProperty(connection_.get(), window_, fetch_->property, 0, kMostWords, True, AnyPropertyType,
                     &type, &format, &items, &left, &data);
  const XPointer<unsigned char> owned(data);
  connection_.check();
  bytes = format == 8 ? items : 0;
  if (left > 0 || fetch_->text.size() + bytes > kMaxClipboardBytes) {
    spdlog::info("what was copied is not sent: it has more than {} bytes", kMaxClipboardBytes);
    XDeleteProperty(connection_.get(), window_, fetch_->property);
    fetch_.reset();
    return false;
  }
  if (bytes > 0) fetch_->text.append(reinterpret_cast<const char*>(data), bytes);
  return true;
}

void X11Clipboard::finish() {
  std::string text = fetch_->target == atoms_.latin1 ? utf8_of_latin1(fetch_->text) : std::move(fetch_->text);
  fetch_.reset();
  if (text.size() > kMaxClipboardBytes || !is_utf8(text)) return;
  known_ = text;
  on_copied_(std::move(text));
}

void X11Clipboard::expire(SteadyTime now) {
  if (fetch_ && now >= fetch_->deadline) {
    spdlog::info("what was copied is not sent: the program that has it does not answer");
    fetch_.reset();
  }
  owner_->expire(now);
}

std::optional<SteadyTime> X11Clipboard::next_expiry() const {
  const auto serving = owner_->next_expiry();
  if (!fetch_) return serving;
  return serving ? std::min(*serving, fetch_->deadline) : fetch_->deadline;
}

}  // namespace latentdesk
