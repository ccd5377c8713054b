#pragma once

#include "common/codec/codec.h"
#include "common/codec/restoration.h"
#include "common/stream/update.h"

#include <array>
#include <memory>
#include <vector>

namespace latentdesk {

/// What a viewer shows: the picture that updates are applied to, and the tiles that were stored for recall.
/// Nothing decoded is ever an input of the decoder. One thread uses it.
class Canvas {
 public:
  /// `slots` for stored tiles, each of 16 KiB that is taken when it is first used.
  Canvas(std::unique_ptr<Decoder> decoder, int latent_channels, uint32_t slots);

  /// Begins anew with a black picture of `size`.
  void reset(Size size);

  /// Throws ProtocolError; the picture is then in between, and only reset() helps.
  void apply(const UpdateHeader& header, ByteView payload);

  const Image& picture() const { return picture_; }
  uint64_t number() const { return number_; }
  double unpack_ms() const { return unpack_ms_; }  ///< of the last update
  double decode_ms() const { return decode_ms_; }

 private:
  using StoredTile = std::array<uint8_t, size_t{kTileSide} * kTileSide * kBytesPerPixel>;
  class Content;

  MutableImageView tile_view(uint32_t tile) { return part(picture_.view(), grid_.rect(tile)); }
  void store(const Operation& operation);
  void copy_all();
  void recall(const Operation& operation);
  void draw(const Operation& operation, Content& content);
  void draw_palette(const Operation& operation, Content& content);
  void draw_pixels(const Operation& operation, Content& content);
  void decode_latents(const UpdateHeader& header);
  void restore_latents(float scale);

  std::unique_ptr<Decoder> decoder_;
  int latent_channels_;
  std::vector<std::unique_ptr<StoredTile>> slots_;
  TileGrid grid_;
  Image picture_;
  uint64_t number_ = 0;
  double unpack_ms_ = 0;
  double decode_ms_ = 0;

  UpdateUnpacker unpacker_;
  ResidualCoder residual_coder_;
  std::array<std::array<uint8_t, kTilePixels>, 3> residuals_;
  LatentCoder latent_coder_;
  std::vector<Operation> operations_;
  std::vector<uint8_t> copied_;
  std::vector<const Operation*> latent_tiles_;
  Latents latents_;
  std::vector<uint8_t> decoded_;  ///< tiles of which only some blocks are shown
  std::vector<MutableImageView> outputs_;
  Restoration restoration_;
};

}  // namespace latentdesk
