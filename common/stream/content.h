#pragma once

#include "common/codec/codec.h"
#include "common/codec/restoration.h"
#include "common/stream/palette.h"
#include "common/stream/update.h"

#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace latentdesk {

/// How finely content is coded.
struct CodingQuality {
  float scale = 0;      ///< of latents
  int tolerance = 0;    ///< of palettes: largest change of a colour, in any channel
  int error = 0;        ///< of pixels: largest change of a channel, where latents are no good
  double worth = 0;     ///< bits that a squared error less of a channel may cost
  bool decode = false;  ///< latents, to see what they look like
  bool exact = false;   ///< every pixel as it is, whatever it costs; or, of an `error`, within that

  bool operator==(const CodingQuality&) const = default;
};

/// `quality` from 1 to 100.
CodingQuality coding_quality(const Model& model, int quality);

/// Some blocks of a tile.
struct TilePart {
  uint32_t tile = 0;
  BlockMask mask = 0;

  bool operator==(const TilePart&) const = default;
};

/// Codes parts of a picture, each in the cheapest way that looks right: one colour, a palette, latents, or
/// exact pixels. Which is cheapest is estimated, for latents from the quantised values themselves. Keeps its
/// memory; one thread uses it.
class ContentEncoder {
 public:
  /// With a `decoder` it knows at high quality what latents will look like, and weighs bits and errors of
  /// every way; null: it does not.
  ContentEncoder(std::unique_ptr<Encoder> encoder, std::unique_ptr<Decoder> decoder, int latent_channels);

  /// Appends operations, and what belongs to them to `content`.
  void encode(ImageView picture, const TileGrid& grid, std::span<const TilePart> parts,
              const CodingQuality& quality, std::vector<Operation>& operations, UpdateParts& content);

  /// What it cost a device of its own since this was last asked, ms; 0 on the CPU.
  double take_device_ms() { return std::exchange(device_ms_, 0); }

 private:
  /// Of one way to code a part.
  struct Cost {
    double bits = std::numeric_limits<double>::infinity();
    double error = 0;  ///< sum of squared differences; infinite when it is not known

    double at(double worth) const { return bits + worth * error; }
  };
  /// A part that might go as latents.
  struct Candidate {
    TilePart part;
    Cost palette;        ///< infinite bits when it has too many colours
    int tolerance = 0;   ///< of that palette
    bool drawn = false;  ///< text or interface
    bool flat = false;   ///< enough of it for viewers to restore latents as something drawn
    Cost latents;
  };

  void build_palette(const CodingQuality& quality, Candidate& candidate);
  void gather(ImageView tile, BlockMask mask);
  void encode_exact(ImageView tile, const TilePart& part, int error);
  void measure_residuals(ImageView tile, BlockMask mask, int error);
  void append_residuals(Size tile, const TilePart& part, int error);
  void encode_lossy(ImageView tile, const TilePart& part, const CodingQuality& quality);
  void encode_latents(ImageView picture, const TileGrid& grid, const CodingQuality& quality);
  void measure_latents(ImageView picture, const TileGrid& grid, const CodingQuality& quality);
  void restore_as_viewers(const Candidate& candidate, float scale, MutableImageView decoded);
  Operation::Kind choose(ImageView tile, const Candidate& candidate, const CodingQuality& quality);
  ImageView fill_around(ImageView tile, BlockMask mask, uint8_t* filled) const;
  void append_palette(const TilePart& part);

  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;
  Restoration restoration_;
  int latent_channels_;
  double device_ms_ = 0;
  std::vector<Operation>* operations_ = nullptr;
  UpdateParts* content_ = nullptr;

  Palette palette_;
  std::vector<uint32_t> pixels_;
  std::vector<uint32_t> row_starts_;  ///< of each run in pixels_
  ResidualPlanes residuals_;
  std::vector<uint8_t> restored_;
  std::vector<Candidate> candidates_;
  std::vector<uint8_t> filled_;
  std::vector<ImageView> views_;
  std::vector<uint8_t> decoded_;
  std::vector<MutableImageView> outputs_;
  Latents latents_;
  std::vector<size_t> kept_;
};

}  // namespace latentdesk
