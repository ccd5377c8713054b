#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

// The steps around the convolutions. Tensors are fp16 NHWC whose channels are padded to multiples of 8, so
// that every position begins at a multiple of 16 bytes; pictures are BGRX. Several pictures of one size lie
// one below the other. This is C++17, which nvcc reads. All pointers are of the device; each function puts
// one kernel into `stream` and throws std::runtime_error when it cannot be launched.

namespace latentdesk::cuda {

constexpr int padded_channels(int channels) { return (channels + 7) / 8 * 8; }

/// A picture on the device; `stride` bytes a row, a multiple of 32. `data` is aligned to 32 bytes.
struct DevicePicture {
  uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  size_t stride = 0;
};

/// Bytes of a row of `width` pixels in a DevicePicture: whole blocks of 8 pixels.
constexpr size_t device_stride(int width) { return static_cast<size_t>((width + 7) / 8 * 8) * 4; }

/// BGRX to RGB 0..1 by blocks of 8x8: `out[position][(dy * 8 + dx) * 3 + c]`. The picture is continued by its
/// last row and column to whole blocks.
void unshuffle(const DevicePicture& picture, __half* out, cudaStream_t stream);

/// RGB 0..1 at `in[position][(dy * block + dx) * 3 + c]`, positions of `pitch` values, to BGRX, rounded and
/// clamped; fills a picture whose sides are multiples of `block`, which is 2, 4 or 8.
void to_bgrx(const __half* in, int pitch, int block, const DevicePicture& picture, cudaStream_t stream);

/// `in[position][channel]` to planar int8, `out[channel * positions + position]`: value / scale
/// rounded as rounding.h says, clamped to -127..127. At most 256 channels.
void quantise(const __half* in, size_t positions, int channels, float scale, int8_t* out,
              cudaStream_t stream);

/// `count` positions of planes of `positions` int8, beginning with position `first`, to
/// `out[position][channel]`, times `scale`, limited to what fp16 holds. Padding becomes zero.
void dequantise(const int8_t* in, size_t positions, size_t first, size_t count, int channels, float scale,
                __half* out, cudaStream_t stream);

/// NHWC depth-to-space in DCR order of `rows` x `width` positions to `channels` channels; padding becomes
/// zero.
void depth_to_space(const __half* in, int rows, int width, int block, int channels, __half* out,
                    cudaStream_t stream);

/// `values = values + bias + residual`, then ReLU: for convolutions that cuDNN cannot fuse. `pitch` values a
/// position; `residual` may be null.
void add_bias(__half* values, const __half* bias, const __half* residual, bool relu, size_t positions,
              int pitch, cudaStream_t stream);

}  // namespace latentdesk::cuda
