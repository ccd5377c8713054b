#pragma once

#include "common/codec/latents.h"
#include "common/image.h"

#include <cstdint>
#include <span>

// The CPU backend's own steps around the networks: pictures to tensors and back, rounding, and the change
// between the planar order of the wire and the NHWC order of the tensors.

namespace latentdesk::cpu {

/// BGRX to RGB, rearranged by `block`: `out[position][(dy * block + dx) * 3 + c]`, as 0..1 or as bytes. The
/// picture is continued by its last row and column to whole blocks.
void space_to_depth(ImageView image, int block, float* out);
void space_to_depth(ImageView image, int block, uint8_t* out);

/// The same for several pictures, one after the other, each continued to `side` x `side` pixels.
void tiles_to_depth(std::span<const ImageView> tiles, int side, int block, float* out);
void tiles_to_depth(std::span<const ImageView> tiles, int side, int block, uint8_t* out);

/// The reverse of space_to_depth: RGB 0..1 at `in[position][(dy * block + dx) * 3 + c]`, `width` positions a
/// row, to BGRX, rounded and clamped, cropped to the picture's size.
void depth_to_space(const float* in, int width, int block, MutableImageView image);

/// The reverse of tiles_to_depth.
void depth_to_tiles(const float* in, int side, int block, std::span<const MutableImageView> tiles);

/// `in[position][channel]` of `count` positions to planar int8, from position `begin` on: multiples of
/// `out.scale`, rounded as rounding.h says, clamped to -127..127.
void quantise(const float* in, size_t begin, size_t count, Latents& out);

/// Planar int8 of `count` positions from `begin` on to `out[position][channel]`, times the scale or as they
/// are.
void dequantise(const Latents& in, size_t begin, size_t count, float* out);
void dequantise(const Latents& in, size_t begin, size_t count, int8_t* out);

}  // namespace latentdesk::cpu
