#include "common/codec/cuda/handles.h"
#include "common/codec/cuda/kernels.h"
#include "common/codec/rounding.h"

// Threads are numbered so that neighbours touch neighbouring bytes on the side that moves more of them, in
// pieces of 16 bytes where the layout allows.

namespace latentdesk::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kRgb = 3;
constexpr int kEncoderBlock = 8;
constexpr int kMaxChannels = 256;

/// Eight fp16 values, moved as one.
struct alignas(16) Half8 {
  __half values[8];
};

/// Four BGRX pixels, moved as one.
struct alignas(16) Pixels4 {
  uchar4 pixels[4];
};

__device__ size_t thread_index() { return static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

__device__ float clamped(float value, float low, float high) { return fminf(fmaxf(value, low), high); }

/// One thread reads a block's row: 8 pixels to 24 values.
__global__ void unshuffle_kernel(const uint8_t* pixels, int width, int height, size_t stride, int columns,
                                 size_t count, __half* out) {
  const size_t index = thread_index();
  if (index >= count) return;
  const int dy = static_cast<int>(index % kEncoderBlock);
  const size_t position = index / kEncoderBlock;
  const int left = static_cast<int>(position % columns) * kEncoderBlock;
  const int y = min(static_cast<int>(position / columns) * kEncoderBlock + dy, height - 1);
  const auto* row = reinterpret_cast<const Pixels4*>(pixels + y * stride + static_cast<size_t>(left) * 4);
  const Pixels4 halves[2] = {row[0], row[1]};  // beyond the picture's width there is memory, if no picture
  Half8 result[kRgb];
  uchar4 pixel = halves[0].pixels[0];
#pragma unroll
  for (int dx = 0; dx < kEncoderBlock; ++dx) {
    if (left + dx < width) pixel = halves[dx / 4].pixels[dx % 4];  // else the last one again
    const uint8_t rgb[kRgb] = {pixel.z, pixel.y, pixel.x};
#pragma unroll
    for (int c = 0; c < kRgb; ++c) {
      const int value = dx * kRgb + c;
      result[value / 8].values[value % 8] = __float2half_rn(static_cast<float>(rgb[c]) * (1.0f / 255.0f));
    }
  }
  auto* to = reinterpret_cast<Half8*>(out) + index * kRgb;
  for (int i = 0; i < kRgb; ++i) to[i] = result[i];
}

__device__ uint32_t to_byte(__half value) {
  return static_cast<uint32_t>(__float2int_rn(clamped(__half2float(value) * 255.0f, 0.0f, 255.0f)));
}

/// One thread writes a block's row of pixels.
template <int kBlock>
__global__ void to_bgrx_kernel(const __half* in, int pitch, int columns, size_t stride, size_t count,
                               uint8_t* pixels) {
  const size_t index = thread_index();
  if (index >= count) return;
  const size_t x = index % columns;
  const size_t y = index / columns;
  const size_t position = y / kBlock * columns + x;
  const __half* values = in + position * pitch + y % kBlock * (kBlock * kRgb);
  struct alignas(kBlock * 4 < 16 ? kBlock * 4 : 16) Row {
    uint32_t pixels[kBlock];
  } row;
#pragma unroll
  for (int dx = 0; dx < kBlock; ++dx) {
    row.pixels[dx] = to_byte(values[dx * kRgb + 2]) | to_byte(values[dx * kRgb + 1]) << 8 |
                     to_byte(values[dx * kRgb]) << 16 | 0xff000000u;
  }
  *reinterpret_cast<Row*>(pixels + y * stride + x * sizeof(Row)) = row;
}

/// Positions that one block of threads turns from NHWC to planes or back, through shared memory.
constexpr int kStrip = 64;
/// A shared row is longer than a strip, so that its columns lie in different banks.
constexpr int kSharedRow = kStrip + 4;

__global__ void quantise_kernel(const __half* in, size_t positions, int channels, int pitch, float scale,
                                int8_t* out) {
  __shared__ int8_t strip[kMaxChannels * kSharedRow];
  const size_t first = static_cast<size_t>(blockIdx.x) * kStrip;
  const int count = static_cast<int>(min(static_cast<size_t>(kStrip), positions - first));
  const int vectors = pitch / 8;
  const auto* from = reinterpret_cast<const Half8*>(in + first * pitch);
  for (int i = threadIdx.x; i < count * vectors; i += blockDim.x) {
    const Half8 eight = from[i];
    const int position = i / vectors, channel = i % vectors * 8;
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const float steps = __half2float(eight.values[c]) / scale;
      const float size = fminf(fabsf(steps), 127.0f);
      const float whole = size < dead_zone(channel + c) ? 0.0f : size;
      strip[(channel + c) * kSharedRow + position] =
          static_cast<int8_t>(__float2int_rn(copysignf(whole, steps)));
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < channels * kStrip; i += blockDim.x) {
    const int channel = i / kStrip, position = i % kStrip;
    if (position < count)
      out[channel * positions + first + position] = strip[channel * kSharedRow + position];
  }
}

__global__ void dequantise_kernel(const int8_t* in, size_t positions, size_t first, size_t all, int channels,
                                  int pitch, float scale, __half* out) {
  __shared__ int8_t strip[kMaxChannels * kSharedRow];
  const size_t begin = static_cast<size_t>(blockIdx.x) * kStrip;
  const int count = static_cast<int>(min(static_cast<size_t>(kStrip), all - begin));
  for (int i = threadIdx.x; i < pitch * kStrip; i += blockDim.x) {
    const int channel = i / kStrip, position = i % kStrip;
    const bool exists = channel < channels && position < count;
    strip[channel * kSharedRow + position] =
        exists ? in[channel * positions + first + begin + position] : int8_t{0};
  }
  __syncthreads();
  const int vectors = pitch / 8;
  auto* to = reinterpret_cast<Half8*>(out + begin * pitch);
  for (int i = threadIdx.x; i < count * vectors; i += blockDim.x) {
    const int position = i / vectors, channel = i % vectors * 8;
    Half8 eight;
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const float value = static_cast<float>(strip[(channel + c) * kSharedRow + position]) * scale;
      eight.values[c] = __float2half_rn(clamped(value, -65504.0f, 65504.0f));
    }
    to[i] = eight;
  }
}

/// One thread moves one Element of the output: eight channels where they divide so, else one.
template <typename Element>
__global__ void depth_to_space_kernel(const __half* in, int width, int block, int channels, int in_pitch,
                                      int out_pitch, size_t count, __half* out) {
  constexpr int kLength = sizeof(Element) / sizeof(__half);
  const size_t index = thread_index();
  if (index >= count) return;
  const int elements = out_pitch / kLength;
  const int channel = static_cast<int>(index % elements) * kLength;
  const size_t position = index / elements;
  const int out_width = width * block;
  const int x = static_cast<int>(position % out_width);
  const size_t y = position / out_width;
  Element element{};
  if (channel < channels) {
    const size_t source = y / block * width + x / block;
    const int part = static_cast<int>(y % block) * block + x % block;
    element = *reinterpret_cast<const Element*>(in + source * in_pitch + part * channels + channel);
  }
  reinterpret_cast<Element*>(out)[index] = element;
}

__global__ void add_bias_kernel(Half8* values, const Half8* bias, const Half8* residual, bool relu,
                                size_t count, int vectors) {
  const size_t index = thread_index();
  if (index >= count) return;
  Half8 result = values[index];
  const Half8 added = bias[index % vectors];
  const Half8 rest = residual ? residual[index] : Half8{};
#pragma unroll
  for (int c = 0; c < 8; ++c) {
    float sum = __half2float(result.values[c]) + __half2float(added.values[c]);
    if (residual) sum += __half2float(rest.values[c]);
    result.values[c] = __float2half_rn(relu ? fmaxf(sum, 0.0f) : sum);
  }
  values[index] = result;
}

unsigned blocks_for(size_t count, size_t in_one) {
  return static_cast<unsigned>((count + in_one - 1) / in_one);
}

template <typename Kernel, typename... Arguments>
void launch(Kernel kernel, unsigned blocks, cudaStream_t stream, Arguments... arguments) {
  kernel<<<blocks, kThreads, 0, stream>>>(arguments...);
  check(cudaGetLastError(), "start a kernel");
}

}  // namespace

void unshuffle(const DevicePicture& picture, __half* out, cudaStream_t stream) {
  const int columns = (picture.width + kEncoderBlock - 1) / kEncoderBlock;
  const int rows = (picture.height + kEncoderBlock - 1) / kEncoderBlock;
  const size_t count = static_cast<size_t>(columns) * rows * kEncoderBlock;
  launch(unshuffle_kernel, blocks_for(count, kThreads), stream, picture.data, picture.width, picture.height,
         picture.stride, columns, count, out);
}

void to_bgrx(const __half* in, int pitch, int block, const DevicePicture& picture, cudaStream_t stream) {
  const int columns = picture.width / block;
  const size_t count = static_cast<size_t>(columns) * picture.height;
  const auto kernel = block == 2 ? to_bgrx_kernel<2> : block == 4 ? to_bgrx_kernel<4> : to_bgrx_kernel<8>;
  launch(kernel, blocks_for(count, kThreads), stream, in, pitch, columns, picture.stride, count,
         picture.data);
}

void quantise(const __half* in, size_t positions, int channels, float scale, int8_t* out,
              cudaStream_t stream) {
  launch(quantise_kernel, blocks_for(positions, kStrip), stream, in, positions, channels,
         padded_channels(channels), scale, out);
}

void dequantise(const int8_t* in, size_t positions, size_t first, size_t count, int channels, float scale,
                __half* out, cudaStream_t stream) {
  launch(dequantise_kernel, blocks_for(count, kStrip), stream, in, positions, first, count, channels,
         padded_channels(channels), scale, out);
}

void depth_to_space(const __half* in, int rows, int width, int block, int channels, __half* out,
                    cudaStream_t stream) {
  const int in_pitch = padded_channels(channels * block * block), out_pitch = padded_channels(channels);
  const bool by_eight = channels % 8 == 0;
  const size_t positions = static_cast<size_t>(rows) * width * block * block;
  const size_t count = positions * (by_eight ? out_pitch / 8 : out_pitch);
  const auto kernel = by_eight ? depth_to_space_kernel<Half8> : depth_to_space_kernel<__half>;
  launch(kernel, blocks_for(count, kThreads), stream, in, width, block, channels, in_pitch, out_pitch, count,
         out);
}

void add_bias(__half* values, const __half* bias, const __half* residual, bool relu, size_t positions,
              int pitch, cudaStream_t stream) {
  const int vectors = pitch / 8;
  const size_t count = positions * vectors;
  launch(add_bias_kernel, blocks_for(count, kThreads), stream, reinterpret_cast<Half8*>(values),
         reinterpret_cast<const Half8*>(bias), reinterpret_cast<const Half8*>(residual), relu, count,
         vectors);
}

}  // namespace latentdesk::cuda
