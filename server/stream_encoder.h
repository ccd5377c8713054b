#pragma once

#include "common/stats.h"
#include "common/stream/resume_log.h"
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
  uint64_t applied = 0;          ///< updates, as its viewer has acknowledged
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
  /// `deliver` is called on the encode thread; the viewers are not ready then until they say so again.
  /// Pictures come at most `max_fps` times a second.
  StreamEncoder(ContentEncoder encoder, const Model& model, double max_fps,
                std::function<void(std::vector<StreamDelivery>)> deliver);

  // Network thread. What is asked is done on the encode thread, in this order.
  void request(uint64_t viewer, const StreamRequest& request);
  /// The viewer's connection was lost; what it has is kept, so that it may come back.
  void park(uint64_t viewer);
  /// Viewer `to` is `from` come back, with a canvas that so many of the updates for it were applied to. When
  /// that is not known any more, it begins anew.
  void resume(uint64_t from, uint64_t to, uint64_t updates);
  void remove(uint64_t viewer);
  /// Where users look, in pixels of the screen, is refined first. Its middle until this is said.
  void set_focus(int x, int y);

  // Encode thread.
  bool has_viewers();
  /// The screen shows `picture`, captured at `time_ms`.
  void show(ImageView picture, int64_t time_ms);
  /// Delivers to every viewer that is ready. Returns when a tile will have rested that somebody waits for.
  std::optional<SteadyTime> serve();

  /// Whether a viewer waits since it was last asked, and the screen has to be captured for it though nothing
  /// may have changed: what was captured while nobody watched was dropped.
  bool take_lack_of_picture() { return std::exchange(lacks_picture_, false); }

  /// What it cost a device of its own since this was last asked, ms.
  double take_device_ms() { return std::exchange(device_ms_, 0); }

  const Samples& bytes() const { return bytes_; }
  const Samples& encode_ms() const { return encode_ms_; }

 private:
  struct Viewer {
    KnownCanvas known;  ///< once all that was sent has arrived
    ResumeLog log;
  };

  void post(std::function<void()> task);
  void take_requests();
  Refinement refinement(const StreamRequest& request);
  /// The quality that a viewer gets: no more than two are in use at a time, since each is coded by itself.
  int rung(int quality) const;
  /// Appends to made_ what it needs; false when it needs nothing.
  bool serve(uint64_t id, Viewer& viewer, const StreamRequest& request);
  void count(const StreamDelivery& delivery, SteadyTime start);

  const Model model_;
  const std::function<void(std::vector<StreamDelivery>)> deliver_;
  std::vector<StreamDelivery> made_;  ///< in one round over the viewers, handed on at once
  ScreenState state_;
  std::map<uint64_t, Viewer> viewers_;
  bool is_stale_ = true;  ///< nobody watched, so nothing was captured: the state is not the screen's
  bool lacks_picture_ = false;
  std::map<uint64_t, StreamRequest> active_;  ///< requests as the encode thread sees them

  std::mutex mutex_;
  std::vector<std::function<void()>> inbox_;  ///< for the encode thread
  std::optional<std::pair<int, int>> focus_;  ///< where users look

  double device_ms_ = 0;
  Samples bytes_{512};
  Samples encode_ms_{512};
};

}  // namespace latentdesk
