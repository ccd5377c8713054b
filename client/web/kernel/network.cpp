// The decoder's arithmetic for browsers: WebAssembly with SIMD, integers of 16 bits, no library.
// `int8_network.ts` calls it layer by layer for one tile at a time, which so stays in the processor's cache.
//
// A map is [(height + 2) * (width + 2)][channels], row by row; its border is the convolutions' padding and
// stays 0. Maps of int16 hold int8 or uint8, so that sums of products fit into 32 bits. `width` is a multiple
// of 4, channels of 8.
//
// Weights: [outputs / 8][size * size][inputs / 2][8][2] int16.

#include <stdint.h>
#include <wasm_simd128.h>

namespace {

constexpr int kPixels = 4;   // that are computed at once
constexpr int kOutputs = 8;  // for which

struct Place {
  int x, y;
};

/// Where a convolution reads, and how many channels.
struct Source {
  const int16_t* map;
  int width, channels, size;

  const int16_t* at(Place p, int dx, int dy) const {
    const int edge = size / 2;  // the border is 1, which a 1x1 does not read
    return map + ((p.y + 1 - edge + dy) * (width + 2) + p.x + 1 - edge + dx) * channels;
  }
};

/// Where outputs go: spread over blocks of `block` x `block` pixels (ONNX: DepthToSpace, DCR). `channels` is
/// of each such pixel.
struct Target {
  int width, channels, block;

  int offset(Place p, int output) const {
    const int part = output / channels;
    const int x = p.x * block + part % block, y = p.y * block + part / block;
    return ((y + 1) * (width * block + 2) + x + 1) * channels + output % channels;
  }
};

struct Sums {
  v128_t low[kPixels], high[kPixels];
};

/// Sums of products for 4 pixels and 8 outputs.
template <bool kSparse>
Sums multiply(const Source& source, Place place, const int16_t* weights) {
  Sums sums;
  for (int i = 0; i < kPixels; ++i) sums.low[i] = sums.high[i] = wasm_i32x4_const_splat(0);
  const int channels = source.channels;
  for (int tap = 0; tap < source.size * source.size; ++tap) {
    const int16_t* in = source.at(place, tap % source.size, tap / source.size);
    for (int c = 0; c < channels; c += 2, in += 2, weights += 2 * kOutputs) {
      v128_t pair[kPixels];
      for (int i = 0; i < kPixels; ++i) pair[i] = wasm_v128_load32_splat(in + i * channels);
      if (kSparse) {
        const v128_t any = wasm_v128_or(wasm_v128_or(pair[0], pair[1]), wasm_v128_or(pair[2], pair[3]));
        if (wasm_i32x4_extract_lane(any, 0) == 0) continue;
      }
      const v128_t low = wasm_v128_load(weights), high = wasm_v128_load(weights + kOutputs);
      for (int i = 0; i < kPixels; ++i) {
        sums.low[i] = wasm_i32x4_add(sums.low[i], wasm_i32x4_dot_i16x8(pair[i], low));
        sums.high[i] = wasm_i32x4_add(sums.high[i], wasm_i32x4_dot_i16x8(pair[i], high));
      }
    }
  }
  return sums;
}

v128_t scaled(v128_t sum, const float* factors, const float* biases) {
  return wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), wasm_v128_load(factors)),
                        wasm_v128_load(biases));
}

v128_t rounded(v128_t value) { return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(value)); }

/// Calls `store(offset in the target, output, low, high)` for every pixel and 8 of its outputs.
template <bool kSparse, typename Store>
void convolve(const Source& source, const Target& target, int height, int outputs, const int16_t* weights,
              Store store) {
  const int step = source.size * source.size * source.channels * kOutputs;
  for (int output = 0; output < outputs; output += kOutputs, weights += step) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < source.width; x += kPixels) {
        const Sums sums = multiply<kSparse>(source, {x, y}, weights);
        for (int i = 0; i < kPixels; ++i)
          store(target.offset({x + i, y}, output), output, sums.low[i], sums.high[i]);
      }
    }
  }
}

}  // namespace

extern "C" {

extern unsigned char __heap_base;

/// The first byte that is free.
__attribute__((export_name("heap"))) uintptr_t heap() { return reinterpret_cast<uintptr_t>(&__heap_base); }

/// Puts 64 latents of each channel into an 8x8 map; `stride`: from a channel to the next.
__attribute__((export_name("load"))) void load(const int8_t* latents, int stride, int channels,
                                               int16_t* map) {
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      int16_t* to = map + ((y + 1) * 10 + x + 1) * channels;
      const int8_t* from = latents + y * 8 + x;
      for (int c = 0; c < channels; ++c) to[c] = from[c * stride];
    }
  }
}

/// uint8 of a ReLU: round(sum * factor + bias), clamped; spread by `block`.
__attribute__((export_name("quantised"))) void quantised(const int16_t* map, int width, int height,
                                                         int inputs, int size, const int16_t* weights,
                                                         const float* factors, const float* biases,
                                                         int16_t* out, int outputs, int block, int sparse) {
  const Source source{map, width, inputs, size};
  const Target target{width, outputs / (block * block), block};
  const auto store = [=](int offset, int output, v128_t low, v128_t high) {
    const v128_t whole =
        wasm_i16x8_narrow_i32x4(rounded(scaled(low, factors + output, biases + output)),
                                rounded(scaled(high, factors + output + 4, biases + output + 4)));
    wasm_v128_store(out + offset, wasm_i16x8_min(wasm_i16x8_max(whole, wasm_i16x8_const_splat(0)),
                                                 wasm_i16x8_const_splat(255)));
  };
  if (sparse)
    convolve<true>(source, target, height, outputs, weights, store);
  else
    convolve<false>(source, target, height, outputs, weights, store);
}

/// Floats without a ReLU: sum * factor + bias, and what was there before where `add`.
__attribute__((export_name("plain"))) void plain(const int16_t* map, int width, int height, int inputs,
                                                 int size, const int16_t* weights, const float* factors,
                                                 const float* biases, float* out, int outputs, int block,
                                                 int sparse, int add) {
  const Source source{map, width, inputs, size};
  const Target target{width, outputs / (block * block), block};
  const auto store = [=](int offset, int output, v128_t low, v128_t high) {
    const v128_t nothing = wasm_f32x4_const_splat(0);
    float* to = out + offset;
    wasm_v128_store(to, wasm_f32x4_add(scaled(low, factors + output, biases + output),
                                       add ? wasm_v128_load(to) : nothing));
    wasm_v128_store(to + 4, wasm_f32x4_add(scaled(high, factors + output + 4, biases + output + 4),
                                           add ? wasm_v128_load(to + 4) : nothing));
  };
  if (sparse)
    convolve<true>(source, target, height, outputs, weights, store);
  else
    convolve<false>(source, target, height, outputs, weights, store);
}

/// A map of 16x16 pixels with 48 floats, RGB 0..1 of 4x4 pixels each, as 64x64 pixels R, G, B, 255.
__attribute__((export_name("pixels"))) void pixels(const float* map, uint8_t* out) {
  const v128_t full = wasm_f32x4_const_splat(255), opaque = wasm_u32x4_const_splat(0xff000000);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 16; ++x, out += 16) {
      const float* from = map + ((y / 4 + 1) * 18 + x + 1) * 48 + y % 4 * 12;
      v128_t part[3];
      for (int i = 0; i < 3; ++i) part[i] = rounded(wasm_f32x4_mul(wasm_v128_load(from + 4 * i), full));
      const v128_t bytes = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(part[0], part[1]),
                                                   wasm_i16x8_narrow_i32x4(part[2], part[2]));
      const v128_t spread =
          wasm_i8x16_shuffle(bytes, bytes, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
      wasm_v128_store(out, wasm_v128_or(wasm_v128_and(spread, wasm_u32x4_const_splat(0x00ffffff)), opaque));
    }
  }
}
}
