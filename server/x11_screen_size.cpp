#include "server/x11_screen_size.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <X11/extensions/Xrandr.h>

namespace latentdesk {

namespace {

constexpr int kSmallestSide = 64;
constexpr double kMillimetresPerPixel = 25.4 / 96;  // programs that ask for the resolution get the usual one
constexpr const char* kModePrefix = "latentdesk-";

struct FreeResources {
  void operator()(XRRScreenResources* resources) const { XRRFreeScreenResources(resources); }
};
struct FreeCrtc {
  void operator()(XRRCrtcInfo* crtc) const { XRRFreeCrtcInfo(crtc); }
};
struct FreeOutput {
  void operator()(XRROutputInfo* output) const { XRRFreeOutputInfo(output); }
};

/// The one output that shows something.
struct Shown {
  RRCrtc crtc = None;
  RROutput output = None;
  RRMode mode = None;
  Size size;
};

class Screen {
 public:
  explicit Screen(X11Connection& connection)
      : connection_(connection), resources_(XRRGetScreenResourcesCurrent(display(), connection.root())) {
    for (int i = 0; resources_ && i < resources_->ncrtc; ++i) add(resources_->crtcs[i]);
  }

  bool can_resize() const { return resources_ && shown_.size() <= 1 && range().has_value(); }

  bool resize(Size wished) {
    const Size size = bound(wished);
    if (size == current()) return false;
    if (shown_.empty()) return set_size(size);
    const RRMode mode = mode_for(size);
    return mode != None && mode != shown_[0].mode && show(mode);
  }

 private:
  Display* display() const { return connection_.get(); }

  void add(RRCrtc id) {
    const std::unique_ptr<XRRCrtcInfo, FreeCrtc> crtc(XRRGetCrtcInfo(display(), resources_.get(), id));
    if (!crtc || crtc->mode == None) return;
    for (int i = 0; i < crtc->noutput; ++i)
      shown_.push_back({id,
                        crtc->outputs[i],
                        crtc->mode,
                        {static_cast<int>(crtc->width), static_cast<int>(crtc->height)}});
  }

  Size current() const {
    const int screen = DefaultScreen(display());
    XWindowAttributes root{};
    XGetWindowAttributes(display(), connection_.root(), &root);
    return root.width > 0 ? Size{root.width, root.height}
                          : Size{DisplayWidth(display(), screen), DisplayHeight(display(), screen)};
  }

  std::optional<std::pair<Size, Size>> range() const {
    Size least, most;
    if (!XRRGetScreenSizeRange(display(), connection_.root(), &least.width, &least.height, &most.width,
                               &most.height))
      return std::nullopt;
    if (least == most) return std::nullopt;
    return std::pair{least, most};
  }

  Size bound(Size wished) const {
    const auto [least, most] = range().value_or(std::pair{current(), current()});
    const auto side = [](int wish, int low, int high) {
      low = std::min(std::max(low, kSmallestSide), high);
      return std::clamp(wish, low, high);
    };
    return {side(wished.width, least.width, most.width), side(wished.height, least.height, most.height)};
  }

  const XRRModeInfo* info(RRMode mode) const {
    const XRRModeInfo* begin = resources_->modes;
    const XRRModeInfo* end = begin + resources_->nmode;
    const auto* found = std::find_if(begin, end, [=](const XRRModeInfo& m) { return m.id == mode; });
    return found == end ? nullptr : found;
  }

  /// The mode of this size, made where there is none; else the largest that the output has within it.
  RRMode mode_for(Size size) {
    const std::unique_ptr<XRROutputInfo, FreeOutput> output(
        XRRGetOutputInfo(display(), resources_.get(), shown_[0].output));
    if (!output) return None;
    const XRRModeInfo* best = nullptr;
    for (int i = 0; i < output->nmode; ++i) {
      const XRRModeInfo* mode = info(output->modes[i]);
      if (!mode || static_cast<int>(mode->width) > size.width || static_cast<int>(mode->height) > size.height)
        continue;
      if (!best || mode->width * mode->height > best->width * best->height) best = mode;
    }
    if (best && Size{static_cast<int>(best->width), static_cast<int>(best->height)} == size) return best->id;
    const RRMode made = make_mode(size);
    return made != None || !best ? made : best->id;
  }

  RRMode make_mode(Size size) {
    std::string name = kModePrefix + std::to_string(size.width) + "x" + std::to_string(size.height);
    XRRModeInfo mode{};
    mode.width = mode.hSyncStart = mode.hSyncEnd = mode.hTotal = static_cast<unsigned>(size.width);
    mode.height = mode.vSyncStart = mode.vSyncEnd = mode.vTotal = static_cast<unsigned>(size.height);
    mode.dotClock = static_cast<unsigned long>(size.pixels()) * 60;
    mode.name = name.data();
    mode.nameLength = static_cast<unsigned>(name.size());
    connection_.sync_without_error();
    RRMode id = XRRCreateMode(display(), connection_.root(), &mode);
    if (!connection_.sync_without_error()) id = find_left_over(name);
    if (id == None) return None;
    XRRAddOutputMode(display(), shown_[0].output, id);
    if (connection_.sync_without_error()) return id;
    XRRDestroyMode(display(), id);
    connection_.sync_without_error();
    return None;
  }

  /// A mode of ours that an earlier run left behind.
  RRMode find_left_over(const std::string& name) const {
    for (int i = 0; i < resources_->nmode; ++i) {
      const XRRModeInfo& mode = resources_->modes[i];
      if (name == std::string(mode.name, mode.nameLength)) return mode.id;
    }
    return None;
  }

  bool show(RRMode mode) {
    const XRRModeInfo* known = info(mode);
    const std::unique_ptr<XRRScreenResources, FreeResources> now(
        known ? nullptr : XRRGetScreenResourcesCurrent(display(), connection_.root()));
    for (int i = 0; now && i < now->nmode; ++i) {
      if (now->modes[i].id == mode) known = &now->modes[i];
    }
    if (!known) return false;
    const Size size{static_cast<int>(known->width), static_cast<int>(known->height)};
    const bool done = switch_to(mode, size) || (switch_to(shown_[0].mode, shown_[0].size), false);
    if (done) remove_our_modes_but(mode);
    return done;
  }

  /// Without a grab of the server, as xrandr has it: another thread of ours may hold a lock of Xlib's while
  /// it waits for an answer, which the grab would keep from it.
  bool switch_to(RRMode mode, Size size) {
    Shown& shown = shown_[0];
    XRRSetCrtcConfig(display(), resources_.get(), shown.crtc, CurrentTime, 0, 0, None, RR_Rotate_0, nullptr,
                     0);
    const bool has_size = set_size(size);
    const Status status = XRRSetCrtcConfig(display(), resources_.get(), shown.crtc, CurrentTime, 0, 0, mode,
                                           RR_Rotate_0, &shown.output, 1);
    return connection_.sync_without_error() && has_size && status == RRSetConfigSuccess;
  }

  bool set_size(Size size) {
    const auto millimetres = [](int pixels) {
      return static_cast<int>(std::lround(pixels * kMillimetresPerPixel));
    };
    XRRSetScreenSize(display(), connection_.root(), size.width, size.height, millimetres(size.width),
                     millimetres(size.height));
    return connection_.sync_without_error();
  }

  void remove_our_modes_but(RRMode kept) {
    for (int i = 0; i < resources_->nmode; ++i) {
      const XRRModeInfo& mode = resources_->modes[i];
      if (mode.id == kept || std::string(mode.name, mode.nameLength).rfind(kModePrefix, 0) != 0) continue;
      XRRDeleteOutputMode(display(), shown_[0].output, mode.id);
      XRRDestroyMode(display(), mode.id);
    }
    connection_.sync_without_error();
  }

  X11Connection& connection_;
  const std::unique_ptr<XRRScreenResources, FreeResources> resources_;
  std::vector<Shown> shown_;
};

bool has_randr(X11Connection& connection) {
  int event = 0, error = 0, major = 0, minor = 0;
  return XRRQueryExtension(connection.get(), &event, &error) &&
         XRRQueryVersion(connection.get(), &major, &minor) && (major > 1 || minor >= 3);
}

}  // namespace

bool can_resize(X11Connection& connection) {
  const bool can = has_randr(connection) && Screen(connection).can_resize();
  connection.sync_without_error();
  return can;
}

bool resize_screen(X11Connection& connection, Size wished) {
  if (!can_resize(connection)) return false;
  const bool resized = Screen(connection).resize(wished);
  connection.check();
  return resized;
}

}  // namespace latentdesk
