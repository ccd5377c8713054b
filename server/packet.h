#pragma once

#include "common/protocol.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace latentdesk {

using Payload = std::vector<uint8_t>;

/// One message as it goes to every viewer: immutable, shared.
struct Packet {
  explicit Packet(FrameHeader frame_header, std::shared_ptr<const Payload> frame_payload)
      : header(std::move(frame_header)),
        prefix(serialize_frame_prefix(header)),
        payload(std::move(frame_payload)) {}

  FrameHeader header;
  std::string prefix;  ///< length and header as sent
  std::shared_ptr<const Payload> payload;
};

using PacketPtr = std::shared_ptr<const Packet>;

/// Payload buffers that come back, with their memory, when the last packet that holds them has gone. Any
/// thread.
class PayloadPool {
 public:
  std::shared_ptr<Payload> take() {
    auto payload = std::make_unique<Payload>();
    {
      std::lock_guard lock(free_->mutex);
      if (!free_->payloads.empty()) {
        *payload = std::move(free_->payloads.back());
        free_->payloads.pop_back();
      }
    }
    return {payload.release(), [free = free_](Payload* used) {
              const std::unique_ptr<Payload> owner(used);
              std::lock_guard lock(free->mutex);
              free->payloads.push_back(std::move(*used));
            }};
  }

 private:
  struct Free {
    std::mutex mutex;
    std::vector<Payload> payloads;
  };
  std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

}  // namespace latentdesk
