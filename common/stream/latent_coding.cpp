#include "common/stream/latent_coding.h"

#include "common/stream/latent_model.h"
#include "common/stream/range_coder.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace latentdesk {

namespace {

constexpr int kSide = LatentModel::kSide, kPositions = LatentModel::kPositions;
constexpr int kPredicted = LatentModel::kPredicted;

size_t tiles_of(size_t latents, int channels) {
  assert(channels > 0 && channels <= kMaxLatents);
  return latents / (kPositions * static_cast<size_t>(channels));
}

/// Of position (x, y) of a channel's 8x8 values, as LatentModel expects it; `first` is for the first
/// position.
int predict(const int8_t* values, int x, int y, int first) {
  const int8_t* here = values + y * kSide + x;
  if (y == 0) return x == 0 ? first : here[-1];
  if (x == 0) return here[-kSide];
  const int left = here[-1], above = here[-kSide];
  return std::clamp(left + above - here[-kSide - 1], std::min(left, above), std::max(left, above));
}

/// Whether what prediction leaves over of a channel is smaller than the channel.
bool is_worth_predicting(const int8_t* channel, size_t tiles) {
  size_t plain = 0, left_over = 0;
  for (size_t tile = 0; tile < tiles; ++tile) {
    const int8_t* values = channel + tile * kPositions;
    const int first = tile == 0 ? 0 : values[kSide - 1 - kPositions];
    for (int i = 0; i < kPositions; ++i) {
      const int residual = static_cast<int8_t>(values[i] - predict(values, i % kSide, i / kSide, first));
      plain += width_of(std::abs(values[i]));
      left_over += width_of(std::abs(residual));
    }
  }
  return left_over < plain;
}

uint32_t choose_predicted(std::span<const int8_t> latents, int channels, size_t tiles) {
  uint32_t predicted = 0;
  for (int c = 0; c < std::min(channels, kPredicted); ++c) {
    const int8_t* channel = latents.data() + static_cast<size_t>(c) * tiles * kPositions;
    if (is_worth_predicting(channel, tiles)) predicted |= 1u << c;
  }
  return predicted;
}

}  // namespace

LatentCoder::LatentCoder() = default;
LatentCoder::LatentCoder(LatentCoder&&) noexcept = default;
LatentCoder::~LatentCoder() = default;

LatentModel& LatentCoder::begin(int channels, uint32_t predicted) {
  if (model_)
    std::construct_at(model_.get(), channels, predicted);
  else
    model_ = std::make_unique<LatentModel>(channels, predicted);
  return *model_;
}

void LatentCoder::encode(std::span<const int8_t> latents, int channels, std::vector<uint8_t>& out) {
  const size_t tiles = tiles_of(latents.size(), channels);
  const uint32_t predicted = choose_predicted(latents, channels, tiles);
  LatentModel& model = begin(channels, predicted);
  RangeEncoder coder(out);
  coder.code_bits(predicted, kPredicted);
  for (size_t tile = 0; tile < tiles; ++tile) {
    model.take(latents.data() + tile * kPositions, tiles * kPositions);
    model.code_tile(coder);
  }
  coder.finish();
}

void LatentCoder::decode(ByteView stream, int channels, std::span<int8_t> latents) {
  const size_t tiles = tiles_of(latents.size(), channels);
  RangeDecoder coder(stream);
  LatentModel& model = begin(channels, coder.code_bits(0, kPredicted));
  for (size_t tile = 0; tile < tiles; ++tile) {
    if (!model.code_tile(coder)) throw ProtocolError("latents are not what they were made of");
    coder.check();
    model.give(latents.data() + tile * kPositions, tiles * kPositions);
  }
  coder.finish();
}

}  // namespace latentdesk
