#pragma once

#include "common/codec/frame_encoder.h"
#include "common/latest.h"
#include "common/stats.h"
#include "server/capture.h"
#include "server/doorbell.h"
#include "server/gpu_budget.h"
#include "server/packet.h"
#include "server/stream_encoder.h"

#include <atomic>
#include <functional>
#include <memory>

namespace latentdesk {

/// Turns frames into what viewers can take: whole pictures for those of the baseline, updates for those of
/// latentdesk.2. Each is made only while somebody wants it.
class EncodeLoop {
 public:
  struct Encoders {
    std::unique_ptr<Encoder> pictures;  ///< for the baseline
    std::unique_ptr<Encoder> tiles;
    std::unique_ptr<Decoder> tile_decoder;  ///< as ContentEncoder's
  };
  /// All called on the encode thread.
  struct Events {
    std::function<void(PacketPtr)> on_packet;
    std::function<void(std::vector<StreamDelivery>)> on_delivery;
    std::function<void()> on_missed;  ///< a frame was dropped, and now somebody wants one
  };

  EncodeLoop(Encoders encoders, const Model& model, int quality, double max_fps, GpuBudget budget,
             Latest<Frame>& frames, Doorbell& bell, Events events);

  /// The encode thread's whole life; returns when the doorbell is closed.
  void run();

  // Network thread.
  void want_packets(bool wanted);
  /// Whoever rings the bell then has it looked at.
  void request(uint64_t viewer, const StreamRequest& request);
  void park(uint64_t viewer) { stream_.park(viewer); }
  void resume(uint64_t from, uint64_t to, uint64_t updates) { stream_.resume(from, to, updates); }
  void remove(uint64_t viewer);
  /// Where users look, in pixels of the screen, is refined first.
  void set_focus(int x, int y);

 private:
  void take(const Frame& frame);
  PacketPtr encode(const Frame& frame);
  void log_statistics();

  FrameEncoder encoder_;
  StreamEncoder stream_;
  float scale_;
  std::string model_ver_;
  GpuBudget budget_;
  Latest<Frame>& frames_;
  Doorbell& bell_;
  Events events_;
  PayloadPool payloads_;
  std::atomic<bool> packets_wanted_{false};
  bool missed_ = false;

  Samples encode_ms_{512};
  Samples pack_ms_{512};
  Samples bytes_{512};
  SteadyTime last_log_ = SteadyClock::now();
  uint64_t logged_frames_ = 0;
  uint64_t logged_updates_ = 0;
};

}  // namespace latentdesk
