#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace latentdesk {

/// Width and height in pixels.
struct Size {
  int width = 0;
  int height = 0;

  bool operator==(const Size&) const = default;
  size_t pixels() const { return static_cast<size_t>(width) * static_cast<size_t>(height); }
};

/// Largest picture that is captured or accepted from a peer: 8K, and no side above 16384.
inline constexpr int kMaxSide = 16384;
inline constexpr size_t kMaxPixels = size_t{1} << 25;

constexpr bool is_valid(Size size) {
  return size.width > 0 && size.height > 0 && size.width <= kMaxSide && size.height <= kMaxSide &&
         static_cast<size_t>(size.width) * static_cast<size_t>(size.height) <= kMaxPixels;
}

inline constexpr int kBytesPerPixel = 4;  // B, G, R and one byte that is ignored

/// A picture in memory that somebody else owns: BGRX rows of `stride` bytes, top row first.
template <typename Byte>
struct BasicImageView {
  Byte* data = nullptr;
  Size size;
  size_t stride = 0;

  Byte* row(int y) const { return data + static_cast<size_t>(y) * stride; }
  /// Rows [begin, end), as far as there are such.
  BasicImageView rows(int begin, int end) const {
    return {row(begin), {size.width, std::min(end, size.height) - begin}, stride};
  }
  operator BasicImageView<const Byte>() const { return {data, size, stride}; }
};

using ImageView = BasicImageView<const uint8_t>;
using MutableImageView = BasicImageView<uint8_t>;

/// A BGRX picture that owns its pixels, rows packed.
class Image {
 public:
  Image() = default;
  explicit Image(Size size) { resize(size); }

  /// Pixels are undefined after a change of size. Memory is kept when the picture shrinks.
  void resize(Size size) {
    size_ = size;
    pixels_.resize(size.pixels() * kBytesPerPixel);
  }

  Size size() const { return size_; }
  size_t bytes() const { return pixels_.size(); }
  uint8_t* data() { return pixels_.data(); }
  const uint8_t* data() const { return pixels_.data(); }

  MutableImageView view() { return {pixels_.data(), size_, stride()}; }
  ImageView view() const { return {pixels_.data(), size_, stride()}; }

 private:
  size_t stride() const { return static_cast<size_t>(size_.width) * kBytesPerPixel; }

  Size size_;
  std::vector<uint8_t> pixels_;
};

}  // namespace latentdesk
