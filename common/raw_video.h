#pragma once

#include "common/image.h"

#include <cstdint>
#include <fstream>
#include <string>

namespace latentdesk {

/// A recording of packed BGR0 frames, as `ffmpeg -pix_fmt bgr0 -f rawvideo` writes them. One thread uses it.
class RawVideo {
 public:
  /// Throws std::runtime_error when the file cannot be read or is not a whole number of frames of that size.
  RawVideo(const std::string& path, Size size);

  Size size() const { return size_; }
  uint64_t frames() const { return frames_; }

  /// Reads the next frame into rows of `image`, which has the recording's size; false at the end.
  bool read(MutableImageView image);
  void rewind();

 private:
  std::string path_;
  std::ifstream file_;
  Size size_;
  uint64_t frames_ = 0;
};

/// Path of a source written `raw:FILE`; empty when it is another kind of source.
std::string raw_path(const std::string& source);

/// Parses `WxH`. Throws std::invalid_argument unless it is_valid.
Size parse_size(const std::string& text);

}  // namespace latentdesk
