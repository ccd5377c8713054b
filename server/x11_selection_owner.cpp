#include "server/x11_selection_owner.h"

#include <algorithm>
#include <array>

#include <X11/Xatom.h>
#include <X11/Xlib.h>

namespace latentdesk {

namespace {

// Longer ones go in pieces, since the server holds each until it is taken.
constexpr size_t kMostAtOnce = 256 * 1024;
constexpr size_t kMostTransfers = 16;
constexpr auto kPieceTimeout = std::chrono::seconds(5);

/// Characters beyond Latin-1 become question marks.
std::string latin1_of_utf8(const std::string& text) {
  std::string latin1;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      latin1 += text[i];
    } else if ((byte & 0xc0) != 0x80) {
      const bool fits = (byte == 0xc2 || byte == 0xc3) && i + 1 < text.size();
      latin1 += fits ? static_cast<char>((byte & 3) << 6 | (text[i + 1] & 0x3f)) : '?';
    }
  }
  return latin1;
}

struct ClockQuery {
  Window window;
  unsigned long atom;
};

int is_clock_event(Display*, XEvent* event, char* argument) {
  const auto* query = reinterpret_cast<const ClockQuery*>(argument);
  return event->type == PropertyNotify && event->xproperty.window == query->window &&
         event->xproperty.atom == query->atom;
}

}  // namespace

X11SelectionOwner::X11SelectionOwner(X11Connection& connection, unsigned long window, unsigned long clipboard)
    : connection_(connection), window_(window) {
  const auto atom = [&](const char* name) { return XInternAtom(connection_.get(), name, False); };
  atoms_ = {.clipboard = clipboard,
            .targets = atom("TARGETS"),
            .timestamp = atom("TIMESTAMP"),
            .utf8 = atom("UTF8_STRING"),
            .text = atom("TEXT"),
            .plain_utf8 = atom("text/plain;charset=utf-8"),
            .plain = atom("text/plain"),
            .incr = atom("INCR"),
            .clock = atom("LATENTDESK_CLOCK")};
  const long words = XMaxRequestSize(connection_.get());
  most_at_once_ = std::min(kMostAtOnce, static_cast<size_t>(words) * 4 - 100);
}

void X11SelectionOwner::own(std::string text) {
  text_ = std::make_shared<const std::string>(std::move(text));
  owned_since_ = server_time();
  for (const Atom selection : {atoms_.clipboard, Atom{XA_PRIMARY}})
    XSetSelectionOwner(connection_.get(), selection, window_, owned_since_);
}

/// The server tells its time by the event of a property's change.
unsigned long X11SelectionOwner::server_time() {
  XChangeProperty(connection_.get(), window_, atoms_.clock, XA_STRING, 8, PropModeAppend, nullptr, 0);
  XSync(connection_.get(), False);
  connection_.check();
  ClockQuery query{window_, atoms_.clock};
  XEvent event;
  const bool found =
      XCheckIfEvent(connection_.get(), &event, is_clock_event, reinterpret_cast<char*>(&query));
  return found ? event.xproperty.time : CurrentTime;
}

bool X11SelectionOwner::handle(const _XEvent& event, SteadyTime now) {
  if (event.type == SelectionRequest) {
    const XSelectionRequestEvent& request = event.xselectionrequest;
    const Atom property = request.property == None ? request.target : request.property;
    XEvent notification{};
    notification.xselection = {.type = SelectionNotify,
                               .serial = 0,
                               .send_event = True,
                               .display = connection_.get(),
                               .requestor = request.requestor,
                               .selection = request.selection,
                               .target = request.target,
                               .property = None,
                               .time = request.time};
    if (answer(request.requestor, property, request.target, now)) notification.xselection.property = property;
    XSendEvent(connection_.get(), request.requestor, False, NoEventMask, &notification);
    return true;
  }
  if (event.type != PropertyNotify) return event.type == SelectionClear;
  if (event.xproperty.state != PropertyDelete) return true;
  const auto found = std::find_if(transfers_.begin(), transfers_.end(), [&](const Transfer& transfer) {
    return transfer.window == event.xproperty.window && transfer.property == event.xproperty.atom;
  });
  if (found == transfers_.end()) return true;
  const bool is_last = found->sent == found->text->size();
  put_piece(*found, now);
  if (is_last) transfers_.erase(found);
  return true;
}

bool X11SelectionOwner::answer(unsigned long window, Atom property, Atom target, SteadyTime now) {
  if (!text_) return false;
  const auto put_numbers = [&](Atom type, const auto& numbers) {
    XChangeProperty(connection_.get(), window, property, type, 32, PropModeReplace,
                    reinterpret_cast<const unsigned char*>(numbers.data()), static_cast<int>(numbers.size()));
    return true;
  };
  if (target == atoms_.timestamp) return put_numbers(XA_INTEGER, std::array{owned_since_});
  if (target == atoms_.targets)
    return put_numbers(XA_ATOM, std::array{atoms_.targets, atoms_.timestamp, atoms_.utf8, atoms_.plain_utf8,
                                           atoms_.text, Atom{XA_STRING}, atoms_.plain});
  if (target == atoms_.utf8 || target == atoms_.plain_utf8 || target == atoms_.text) {
    put_text(window, property, target == atoms_.text ? atoms_.utf8 : target, text_, now);
    return true;
  }
  if (target != XA_STRING && target != atoms_.plain) return false;
  put_text(window, property, target, std::make_shared<const std::string>(latin1_of_utf8(*text_)), now);
  return true;
}

void X11SelectionOwner::put_text(unsigned long window, Atom property, Atom type,
                                 std::shared_ptr<const std::string> text, SteadyTime now) {
  if (text->size() <= most_at_once_) {
    XChangeProperty(connection_.get(), window, property, type, 8, PropModeReplace,
                    reinterpret_cast<const unsigned char*>(text->data()), static_cast<int>(text->size()));
    return;
  }
  if (transfers_.size() >= kMostTransfers) transfers_.erase(transfers_.begin());
  XSelectInput(connection_.get(), window, PropertyChangeMask);
  const std::array size{static_cast<unsigned long>(text->size())};
  XChangeProperty(connection_.get(), window, property, atoms_.incr, 32, PropModeReplace,
                  reinterpret_cast<const unsigned char*>(size.data()), 1);
  transfers_.push_back({window, property, type, std::move(text), 0, now + kPieceTimeout});
}

void X11SelectionOwner::put_piece(Transfer& transfer, SteadyTime now) {
  const size_t bytes = std::min(most_at_once_, transfer.text->size() - transfer.sent);
  const auto* begin = reinterpret_cast<const unsigned char*>(transfer.text->data() + transfer.sent);
  XChangeProperty(connection_.get(), transfer.window, transfer.property, transfer.type, 8, PropModeReplace,
                  begin, static_cast<int>(bytes));  // none at the end, which says that it is the end
  transfer.sent += bytes;
  transfer.deadline = now + kPieceTimeout;
}

void X11SelectionOwner::expire(SteadyTime now) {
  std::erase_if(transfers_, [=](const Transfer& transfer) { return now >= transfer.deadline; });
}

std::optional<SteadyTime> X11SelectionOwner::next_expiry() const {
  std::optional<SteadyTime> next;
  for (const Transfer& transfer : transfers_)
    next = std::min(next.value_or(transfer.deadline), transfer.deadline);
  return next;
}

}  // namespace latentdesk
