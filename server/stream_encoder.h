#pragma once

#include "common/stats.h"
#include "common/stream/screen_state.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace latentdesk {

/// What a session of latentdesk.2 tells the encode thread.
struct StreamRequest {
  uint32_t slots = 0;            ///< that the viewer keeps for tiles to recall
  bool ready = false;            ///< it can take an update now
  bool afresh = false;           ///< its canvas is lost
  int quality = 0;               ///< 1 to 100
  size_t room = 0;               ///< bytes that its connection takes without a queue
  SteadyClock::duration rest{};  ///< before a tile is refined
  size_t soon = 0;               ///< bytes that its connection takes in a moment
};

/// What is for one viewer.
struct StreamDelivery {
  uint64_t viewer = 0;
  std::optional<Size> resized;  ///< its canvas begins anew with this size
  std::vector<UpdatePtr> updates;
};

/// Brings every viewer of latentdesk.2 up to date with the screen, each when it can take more, with what the
/// others got where that is possible.
class StreamEncoder {
 public:
  /// `deliver` is called on the encode thread; the viewer is not ready then until it says so again.
  StreamEncoder(ContentEncoder encoder, const Model& model, std::function<void(StreamDelivery)> deliver);

  // Network thread.
  void request(uint64_t viewer, const StreamRequest& request);
  void remove(uint64_t viewer);
  /// Any thread: where users look, in pixels of the screen, is refined first. Its middle until this is said.
  void set_focus(int x, int y);

  // Encode thread.
  bool has_viewers();
  /// The screen shows `picture`, captured at `time_ms`.
  void show(ImageView picture, int64_t time_ms);
  /// Delivers to every viewer that is ready. Returns when a tile will have rested that somebody waits for.
  std::optional<SteadyTime> serve();

  /// What it cost a device of its own since this was last asked, ms.
  double take_device_ms() { return std::exchange(device_ms_, 0); }

  const Samples& bytes() const { return bytes_; }
  const Samples& encode_ms() const { return encode_ms_; }

 private:
  struct Viewer {
    ViewerState known;
    uint64_t epoch = 0;  ///< of `known`; 0: it has no canvas yet
  };

  void take_requests();
  Refinement refinement(const StreamRequest& request);
  /// The quality that a viewer gets: no more than two are in use at a time, since each is coded by itself.
  int rung(int quality) const;
  bool serve(uint64_t id, Viewer& viewer, const StreamRequest& request);
  void count(const StreamDelivery& delivery, SteadyTime start);

  const Model model_;
  const std::function<void(StreamDelivery)> deliver_;
  ScreenState state_;
  std::map<uint64_t, Viewer> viewers_;
  bool is_stale_ = true;  ///< nobody watched, so nothing was captured: the state is not the screen's
  std::map<uint64_t, StreamRequest> active_;  ///< requests as the encode thread sees them

  std::mutex mutex_;
  std::map<uint64_t, StreamRequest> requested_;
  std::vector<uint64_t> removed_;
  std::optional<std::pair<int, int>> focus_;

  double device_ms_ = 0;
  Samples bytes_{512};
  Samples encode_ms_{512};
};

}  // namespace latentdesk
