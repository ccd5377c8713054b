#include "common/stream/resume_log.h"

#include <utility>

namespace latentdesk {

void ResumeLog::begin(KnownCanvas empty) { begins_ = std::move(empty); }

void ResumeLog::sent(const Update& update) {
  operations_ += update.operations->size();
  unacknowledged_.push_back({update.operations, update.number, std::exchange(begins_, std::nullopt)});
}

void ResumeLog::acknowledged(uint64_t updates) {
  while (acknowledged_ < updates && !unacknowledged_.empty()) apply_first();
}

void ResumeLog::apply_first() {
  Sent& sent = unacknowledged_.front();
  if (sent.begins) applied_ = std::move(*sent.begins);
  applied_.state.apply(*sent.operations, sent.number);
  operations_ -= sent.operations->size();
  unacknowledged_.pop_front();
  ++acknowledged_;
}

KnownCanvas ResumeLog::rewind(uint64_t updates) {
  const bool possible = updates >= acknowledged_ && updates - acknowledged_ <= unacknowledged_.size();
  if (possible) acknowledged(updates);
  KnownCanvas canvas = possible ? std::move(applied_) : KnownCanvas{};
  *this = {};
  applied_ = canvas;
  return canvas;
}

}  // namespace latentdesk
