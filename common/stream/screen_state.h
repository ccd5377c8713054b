#pragma once

#include "common/clock.h"
#include "common/stream/content.h"
#include "common/stream/motion.h"
#include "common/stream/tile_store.h"
#include "common/stream/viewer_state.h"

#include <array>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace latentdesk {

using Operations = std::vector<Operation>;

/// An update as it goes to viewers: immutable, shared.
struct Update {
  uint64_t number = 0;
  std::string prefix;  ///< length and header as sent
  std::vector<uint8_t> payload;
  /// What it does, which outlives it in the logs of what viewers have; never null.
  std::shared_ptr<const Operations> operations;
  std::vector<uint64_t> generations;  ///< for each operation of kind recall, what its slot must hold
  PartSizes sizes{};                  ///< of its parts before compression

  size_t bytes() const { return prefix.size() + payload.size(); }
};

using UpdatePtr = std::shared_ptr<const Update>;

/// How to refine.
struct Refinement {
  SteadyClock::duration rest{};  ///< for which blocks must not have changed
  int x = 0;                     ///< nearest to this point first
  int y = 0;
  size_t bytes = 0;                                  ///< about so many at a time
  size_t soon = std::numeric_limits<size_t>::max();  ///< what the connection carries in a moment
};

/// The screen as the server holds it, in tiles of which each knows the number of its last change, and what
/// brings viewers up to date with it. A viewer that saw the state before gets the difference: copies,
/// recalled tiles, and content for the rest; one that is further behind gets the content of every tile that
/// is newer than what it has. Equal updates are made once. One thread uses it.
class ScreenState {
 public:
  /// Updates are packed within the time of a frame, which begins with each picture.
  ScreenState(ContentEncoder encoder, uint32_t slots, FrameTime frame = FrameTime());

  /// Takes the next picture; another size begins a new epoch. False when nothing has changed.
  bool advance(ImageView picture, SteadyTime now, int64_t time_ms);

  const TileGrid& grid() const { return grid_; }
  uint64_t number() const { return number_; }
  uint64_t epoch() const { return epoch_; }  ///< number of sizes so far
  uint32_t slots() const { return slots_; }
  /// What coding cost a device of its own since this was last asked, ms.
  double take_device_ms() { return encoder_.take_device_ms(); }

  /// A viewer's state for the present epoch: it has nothing yet.
  ViewerState new_viewer(uint32_t slots) const;

  /// What brings the viewer to number(), which it is then taken to have; empty when it is there. Several when
  /// it is a few updates behind and those are still here.
  std::vector<UpdatePtr> bring_up_to_date(ViewerState& viewer, const CodingQuality& quality);

  /// Exact pixels for blocks that are lossy in the viewer's canvas and have rested. When all of them take
  /// longer than a moment, those that look different come first, within kNearError. Nothing when there are
  /// none, or the viewer is not up to date.
  UpdatePtr refine(ViewerState& viewer, SteadyTime now, const Refinement& how);

  /// When the first of the viewer's lossy tiles will have rested; nothing when all are exact.
  std::optional<SteadyTime> next_refinement(const ViewerState& viewer, SteadyClock::duration rest) const;

 private:
  struct Tile {
    uint64_t number = 0;  ///< of its last change
    SteadyTime changed;
  };
  struct Recall {
    TileStore::Match match;
    uint32_t tile = 0;
    uint64_t generation = 0;
  };
  struct Made {
    uint64_t from = 0;
    CodingQuality quality;
    std::vector<Operation> reused;  ///< stores, copies and recalls
    std::vector<TilePart> parts;    ///< what had to be content
    UpdatePtr update;
  };

  void reset(Size size);
  bool find_changes(ImageView picture);
  void find_recalls(ImageView picture);
  void store_rested(SteadyTime now);
  void take_over(ImageView picture, SteadyTime now);

  UpdatePtr difference(const ViewerState& viewer, const CodingQuality& quality);
  UpdatePtr catch_up(const ViewerState& viewer, const CodingQuality& quality);
  UpdatePtr make(uint64_t from, const CodingQuality& quality, std::vector<Operation> reused,
                 std::vector<TilePart> parts);
  std::vector<TilePart> rested(const ViewerState& viewer, SteadyTime now, const Refinement& how) const;
  void keep_history();
  static bool can_follow(const ViewerState& viewer, const Update& update);
  BlockMask whole_if_all(size_t tile, BlockMask mask) const {
    return (mask & grid_.blocks(tile)) == grid_.blocks(tile) ? kWholeTile : mask;
  }

  ContentEncoder encoder_;
  MotionSearch motion_;
  TileStore store_;
  UpdatePacker packer_;
  FrameTime frame_;
  uint32_t slots_;

  TileGrid grid_;
  Image screen_;
  uint64_t epoch_ = 0;
  uint64_t number_ = 0;
  int64_t time_ms_ = 0;
  std::vector<Tile> tiles_;

  std::vector<BlockMask> compared_;

  // How the last update came about.
  std::vector<BlockMask> changed_;
  std::vector<BlockMask> rest_;  ///< what is neither copied nor recalled
  std::vector<Operation> stores_and_copies_;
  std::vector<Recall> recalls_;

  std::vector<Made> made_;         ///< for the present number
  std::deque<UpdatePtr> history_;  ///< differences from one number to the next, newest last
  UpdateParts content_;
  std::array<double, 2> refined_bytes_per_pixel_{1, 1};  ///< exactly, and within kNearError
};

}  // namespace latentdesk
