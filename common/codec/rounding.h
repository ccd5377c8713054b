#pragma once

#ifdef __CUDACC__
#define LATENTDESK_EVERYWHERE __host__ __device__
#else
#define LATENTDESK_EVERYWHERE
#endif

namespace latentdesk {

inline constexpr float kFirstDeadZone = 0.6f, kLastDeadZone = 0.8f;
inline constexpr int kDeadZoneSpan = 96;

/// How encoders round, in steps of the scale: what is below this becomes 0, the rest is rounded to the
/// nearest. What is rare costs more bits than it is worth, and later channels are rarer. models/codec.py has
/// the same, and docs/models.md what it saves. Kernels of GPUs include this, so nothing else belongs here.
LATENTDESK_EVERYWHERE inline float dead_zone(int channel) {
  const float part = channel < kDeadZoneSpan ? static_cast<float>(channel) / kDeadZoneSpan : 1.0f;
  return kFirstDeadZone + part * (kLastDeadZone - kFirstDeadZone);
}

}  // namespace latentdesk
