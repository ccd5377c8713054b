#include "client/png.h"

#include <png.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace latentdesk {

namespace {

constexpr int kRgbBytes = 3;

/// The X byte goes: it would become an alpha channel.
std::vector<uint8_t> packed_bgr(ImageView image) {
  std::vector<uint8_t> packed(image.size.pixels() * kRgbBytes);
  uint8_t* out = packed.data();
  for (int y = 0; y < image.size.height; ++y) {
    const uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.size.width; ++x, pixel += kBytesPerPixel)
      out = std::copy_n(pixel, kRgbBytes, out);
  }
  return packed;
}

}  // namespace

void write_png(const std::string& path, ImageView image) {
  const std::vector<uint8_t> pixels = packed_bgr(image);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.format = PNG_FORMAT_BGR;
  png.width = static_cast<png_uint_32>(image.size.width);
  png.height = static_cast<png_uint_32>(image.size.height);
  const int row_bytes = image.size.width * kRgbBytes;
  if (png_image_write_to_file(&png, path.c_str(), /*convert_to_8_bit=*/0, pixels.data(), row_bytes,
                              nullptr) == 0) {
    throw std::runtime_error(path + ": cannot be written: " + png.message);
  }
}

}  // namespace latentdesk
