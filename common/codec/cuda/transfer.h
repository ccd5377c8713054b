#pragma once

#include "common/codec/cuda/context.h"
#include "common/codec/cuda/kernels.h"
#include "common/image.h"

#include <array>
#include <span>

namespace latentdesk::cuda {

/// Points in the work of a stream, by the device's clock.
template <size_t kMarks>
class Stopwatch {
 public:
  Stopwatch() {
    for (Event& mark : marks_) mark = make_event();
  }

  void mark(size_t index, const Context& context) {
    check(cudaEventRecord(marks_[index].get(), context.stream()), "take the time");
  }

  /// ms; both must have been reached.
  double between(size_t begin, size_t end) const {
    float ms = 0;
    check(cudaEventElapsedTime(&ms, marks_[begin].get(), marks_[end].get()), "take the time");
    return static_cast<double>(ms);
  }

 private:
  std::array<Event, kMarks> marks_;
};

/// Pictures on their way to or from the device: pixels there, and page-locked memory here through which those
/// go that lie in ordinary memory. One thread uses it.
class PictureTransfer {
 public:
  explicit PictureTransfer(const Context& context) : context_(context), through_(make_event()) {}

  /// Into the stream. `image` is read by then, unless it is page-locked.
  DevicePicture upload(ImageView image);
  /// Into the stream: each continued by its last pixels to a tile, one below the other.
  DevicePicture upload_tiles(std::span<const ImageView> tiles);

  /// Room for a picture of this size; what is in it is undefined.
  DevicePicture room(Size size);
  /// Into the stream: what was put into `room`, into `image` when that is page-locked, else to here.
  void download(const DevicePicture& picture, MutableImageView image);
  /// After the stream has been waited for: from here into `image`.
  void deliver(MutableImageView image) const;
  void deliver_tiles(std::span<const MutableImageView> tiles) const;

 private:
  /// Page-locked memory that no upload reads any more.
  uint8_t* staging(size_t bytes);
  void send(const DevicePicture& picture, const uint8_t* from, size_t stride);

  const Context& context_;
  DeviceBuffer<uint8_t> pixels_;
  PinnedBuffer<uint8_t> staging_;
  size_t staging_stride_ = 0;
  Event through_;  ///< the last upload from staging_
};

/// Whether the device can read and write it by itself.
bool is_pinned(const void* memory);

/// Null, and no error left behind, where the memory cannot be registered.
std::shared_ptr<void> pin(std::span<uint8_t> memory);

/// Part of a row of tiles, one below the other.
constexpr DevicePicture tiles_of(const DevicePicture& all, size_t first, size_t count) {
  constexpr size_t kSide = kTileSide;
  return {all.data + first * kSide * all.stride, kTileSide, static_cast<int>(count * kSide), all.stride};
}

}  // namespace latentdesk::cuda
