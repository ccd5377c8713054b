#include "common/codec/cuda/transfer.h"

#include <algorithm>
#include <cstring>

namespace latentdesk::cuda {

namespace {

size_t row_bytes(Size size) { return static_cast<size_t>(size.width) * kBytesPerPixel; }

/// `tile` continued by its last row and column to a whole one, rows packed.
void copy_tile(ImageView tile, uint8_t* to) {
  const int height = std::min(tile.size.height, kTileSide), width = std::min(tile.size.width, kTileSide);
  constexpr size_t kRow = size_t{kTileSide} * kBytesPerPixel;
  for (int y = 0; y < kTileSide; ++y, to += kRow) {
    const uint8_t* row = tile.row(std::min(y, height - 1));
    const size_t bytes = static_cast<size_t>(width) * kBytesPerPixel;
    std::memcpy(to, row, bytes);
    for (size_t at = bytes; at < kRow; at += kBytesPerPixel)
      std::memcpy(to + at, to + at - kBytesPerPixel, 4);
  }
}

}  // namespace

DevicePicture PictureTransfer::upload(ImageView image) {
  const DevicePicture picture = room(image.size);
  if (is_pinned(image.data)) {
    send(picture, image.data, image.stride);
    return picture;
  }
  const size_t row = row_bytes(image.size);
  uint8_t* to = staging(row * static_cast<size_t>(image.size.height));
  for (int y = 0; y < image.size.height; ++y)
    std::memcpy(to + static_cast<size_t>(y) * row, image.row(y), row);
  send(picture, to, row);
  check(cudaEventRecord(through_.get(), context_.stream()), "take a picture");
  return picture;
}

DevicePicture PictureTransfer::upload_tiles(std::span<const ImageView> tiles) {
  constexpr size_t kTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
  const DevicePicture picture = room({kTileSide, kTileSide * static_cast<int>(tiles.size())});
  uint8_t* to = staging(kTileBytes * tiles.size());
  for (size_t i = 0; i < tiles.size(); ++i) copy_tile(tiles[i], to + i * kTileBytes);
  send(picture, to, picture.stride);
  check(cudaEventRecord(through_.get(), context_.stream()), "take a picture");
  return picture;
}

DevicePicture PictureTransfer::room(Size size) {
  const size_t stride = device_stride(size.width);
  pixels_.reserve(stride * static_cast<size_t>(size.height));
  return {pixels_.get(), size.width, size.height, stride};
}

uint8_t* PictureTransfer::staging(size_t bytes) {
  check(cudaEventSynchronize(through_.get()), "take a picture");
  staging_.reserve(bytes);
  return staging_.get();
}

void PictureTransfer::send(const DevicePicture& picture, const uint8_t* from, size_t stride) {
  check(cudaMemcpy2DAsync(picture.data, picture.stride, from, stride, row_bytes({picture.width, 1}),
                          static_cast<size_t>(picture.height), cudaMemcpyHostToDevice, context_.stream()),
        "take a picture");
}

void PictureTransfer::download(const DevicePicture& picture, MutableImageView image) {
  const bool direct = is_pinned(image.data);
  const Size size = direct ? image.size : Size{picture.width, picture.height};
  staging_stride_ = direct ? 0 : row_bytes(size);
  uint8_t* to = direct ? image.data : staging(staging_stride_ * static_cast<size_t>(size.height));
  check(cudaMemcpy2DAsync(to, direct ? image.stride : staging_stride_, picture.data, picture.stride,
                          row_bytes(size), static_cast<size_t>(size.height), cudaMemcpyDeviceToHost,
                          context_.stream()),
        "give a picture");
}

void PictureTransfer::deliver(MutableImageView image) const {
  if (staging_stride_ == 0) return;  // it is there
  for (int y = 0; y < image.size.height; ++y) {
    std::memcpy(image.row(y), staging_.get() + static_cast<size_t>(y) * staging_stride_,
                row_bytes(image.size));
  }
}

void PictureTransfer::deliver_tiles(std::span<const MutableImageView> tiles) const {
  const uint8_t* from = staging_.get();
  for (const MutableImageView& tile : tiles) {
    for (int y = 0; y < std::min(tile.size.height, kTileSide); ++y) {
      std::memcpy(tile.row(y), from + static_cast<size_t>(y) * staging_stride_,
                  row_bytes({std::min(tile.size.width, kTileSide), 1}));
    }
    from += size_t{kTileSide} * staging_stride_;
  }
}

bool is_pinned(const void* memory) {
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, memory) == cudaSuccess)
    return attributes.type == cudaMemoryTypeHost;
  cudaGetLastError();
  return false;
}

std::shared_ptr<void> pin(std::span<uint8_t> memory) {
  if (cudaHostRegister(memory.data(), memory.size(), cudaHostRegisterDefault) != cudaSuccess) {
    cudaGetLastError();  // it stays, else, and would be taken for the next call's
    return nullptr;
  }
  return {memory.data(), [](void* begin) { cudaHostUnregister(begin); }};
}

}  // namespace latentdesk::cuda
