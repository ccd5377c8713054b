#pragma once

namespace latentdesk {

/// How encoders round, in steps of the scale: what is below kDeadZone becomes 0, and the rest is drawn
/// towards 0 by kRoundingBias first. What is rare costs more bits than it is worth; this saves photographs a
/// twelfth. Kernels of GPUs include this, so nothing else belongs here.
inline constexpr float kDeadZone = 0.65f;
inline constexpr float kRoundingBias = 0.05f;

}  // namespace latentdesk
