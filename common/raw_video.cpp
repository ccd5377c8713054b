#include "common/raw_video.h"

#include <charconv>
#include <stdexcept>

namespace latentdesk {

RawVideo::RawVideo(const std::string& path, Size size)
    : path_(path), file_(path, std::ios::binary | std::ios::ate), size_(size) {
  if (!file_) throw std::runtime_error(path + ": cannot be opened");
  const auto bytes = static_cast<uint64_t>(std::streamoff(file_.tellg()));
  const uint64_t frame_bytes = size.pixels() * kBytesPerPixel;
  if (bytes == 0 || bytes % frame_bytes != 0) {
    throw std::runtime_error(path + ": is not a whole number of " + std::to_string(size.width) + "x" +
                             std::to_string(size.height) + " BGR0 frames; is --size right?");
  }
  frames_ = bytes / frame_bytes;
  rewind();
}

bool RawVideo::read(MutableImageView image) {
  if (image.size != size_) throw std::invalid_argument("picture and recording differ in size");
  const auto row_bytes = static_cast<std::streamsize>(size_.width) * kBytesPerPixel;
  for (int y = 0; y < size_.height; ++y) {
    if (!file_.read(reinterpret_cast<char*>(image.row(y)), row_bytes)) return false;
  }
  return true;
}

void RawVideo::rewind() {
  file_.clear();
  file_.seekg(0);
}

std::string raw_path(const std::string& source) {
  constexpr const char* kPrefix = "raw:";
  return source.starts_with(kPrefix) ? source.substr(4) : std::string();
}

Size parse_size(const std::string& text) {
  Size size;
  const char* end = text.data() + text.size();
  const auto width = std::from_chars(text.data(), end, size.width);
  const bool has_separator = width.ec == std::errc() && width.ptr != end && *width.ptr == 'x';
  const auto height = has_separator ? std::from_chars(width.ptr + 1, end, size.height) : width;
  if (!has_separator || height.ec != std::errc() || height.ptr != end || !is_valid(size)) {
    throw std::invalid_argument("'" + text + "' is not a size such as 1280x720");
  }
  return size;
}

}  // namespace latentdesk
