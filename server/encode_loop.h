#pragma once

#include "common/codec/frame_encoder.h"
#include "common/latest.h"
#include "common/stats.h"
#include "server/capture.h"
#include "server/demand.h"
#include "server/gpu_budget.h"
#include "server/packet.h"

#include <functional>
#include <memory>

namespace latentdesk {

/// Turns frames into packets, as long as a viewer can take one.
class EncodeLoop {
 public:
  using Deliver = std::function<void(PacketPtr)>;

  /// `deliver` is called on the encode thread.
  EncodeLoop(std::unique_ptr<Encoder> encoder, const Model& model, int quality, GpuBudget budget,
             Demand& demand, Latest<Frame>& frames, Deliver deliver);

  /// The encode thread's whole life; returns when demand or the mailbox is closed.
  void run();

 private:
  PacketPtr encode(const Frame& frame);
  void log_statistics();

  FrameEncoder encoder_;
  float scale_;
  std::string model_ver_;
  GpuBudget budget_;
  Demand& demand_;
  Latest<Frame>& frames_;
  Deliver deliver_;
  PayloadPool payloads_;

  Samples encode_ms_{512};
  Samples pack_ms_{512};
  Samples bytes_{512};
  SteadyTime last_log_ = SteadyClock::now();
  uint64_t logged_frames_ = 0;
};

}  // namespace latentdesk
