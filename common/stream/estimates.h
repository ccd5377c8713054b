#pragma once

#include "common/codec/latents.h"
#include "common/stream/exact.h"
#include "common/stream/palette.h"
#include "common/stream/tiles.h"

#include <cstdint>
#include <span>

// What each way to code a part of a tile will cost, in bits after compression, as fitted to recorded
// desktops.

namespace latentdesk {

/// Positions of the latents of a tile.
inline constexpr size_t kTilePositions = size_t{kTileLatentSide} * kTileLatentSide;

/// Of a palette's colours and indices. `rows`: where each run of pixels begins among those that the palette
/// was built for, and their end.
double estimate_palette(const Palette& palette, std::span<const uint32_t> rows);
/// Whether the colours that the palette has counted are those of text or interface.
bool is_drawn(const Palette& palette, std::span<const uint32_t> rows);
/// Whether enough pixels in `mask` equal their left neighbours for viewers to restore them as something
/// drawn: in photographs, video and shaded surfaces few do.
bool has_flat_areas(ImageView tile, BlockMask mask);
double estimate_residuals(const ResidualPlanes& planes);
/// Of one of so many `tiles`, by the quantised values.
double estimate_latents(const Latents& latents, size_t tile, size_t tiles);

/// Of the three colours of the pixels in `mask`.
double squared_error(ImageView a, ImageView b, BlockMask mask);

}  // namespace latentdesk
