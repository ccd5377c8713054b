#include "common/codec/timing.h"

#include "common/clock.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

namespace latentdesk {

namespace {

constexpr size_t kBeyondCaches = size_t{128} << 20;  // more than the 60 MB of an H200
constexpr uint64_t kWarmUps = 3, kLeastCalls = 3, kMostCalls = 200;

/// Gradients, flat areas and noise, which zeros or one repeated picture would not stand for.
void fill(MutableImageView image, uint32_t seed) {
  std::minstd_rand random(seed);
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      const bool noisy = (x / 96 + y / 48) % 3 == 0;
      const uint32_t pixel = noisy
                                 ? static_cast<uint32_t>(random())
                                 : static_cast<uint32_t>((x / 4) << 16 | (y / 4) << 8 | (x / 96 * 40 & 255));
      std::memcpy(image.row(y) + static_cast<size_t>(x) * kBytesPerPixel, &pixel, sizeof pixel);
    }
  }
}

/// Pictures that go round. A batch of tiles is a tall picture, tile below tile.
class Pictures {
 public:
  Pictures(const Backend& backend, const Workload& workload) : workload_(workload) {
    const Size size = workload.tiles > 0 ? Size{kTileSide, kTileSide * workload.tiles} : workload.picture;
    const size_t bytes = size.pixels() * kBytesPerPixel;
    const size_t count = std::clamp<size_t>(kBeyondCaches / bytes, 3, 64);
    for (size_t i = 0; i < count; ++i) {
      Image& image = images_.emplace_back(size);
      fill(image.view(), static_cast<uint32_t>(i + 1));
      pins_.push_back(pin_memory(backend, {image.data(), image.bytes()}));
    }
  }

  size_t count() const { return images_.size(); }
  MutableImageView picture(size_t index) { return images_[index % count()].view(); }

  const std::vector<MutableImageView>& tiles(size_t index) {
    views_.clear();
    const MutableImageView all = picture(index);
    for (int i = 0; i < workload_.tiles; ++i)
      views_.push_back({all.row(i * kTileSide), {kTileSide, kTileSide}, all.stride});
    return views_;
  }

 private:
  Workload workload_;
  std::vector<Image> images_;
  std::vector<std::shared_ptr<void>> pins_;  // destroyed before what they pin
  std::vector<MutableImageView> views_;
};

template <typename End>
EndTiming timed(End& end, double seconds, const std::function<void(uint64_t)>& call) {
  for (uint64_t i = 0; i < kWarmUps; ++i) call(i);
  Samples upload, compute, download, device, wall;
  const auto begin = SteadyClock::now();
  for (uint64_t i = 0; i < kMostCalls; ++i) {
    if (i >= kLeastCalls && milliseconds_since(begin) > seconds * 1000) break;
    const auto start = SteadyClock::now();
    call(i);
    wall.add(milliseconds_since(start));
    const DeviceTimes times = end.device_times();
    upload.add(times.upload);
    compute.add(times.compute);
    download.add(times.download);
    device.add(times.total());
  }
  const auto median = [](const Samples& samples) { return samples.percentiles().p50; };
  return {{median(upload), median(compute), median(download)}, median(device), median(wall), wall.count()};
}

void encode(Encoder& encoder, Pictures& pictures, const Workload& workload, uint64_t index, float scale,
            Latents& out) {
  if (workload.tiles > 0) {
    const auto& tiles = pictures.tiles(index);
    const std::vector<ImageView> views(tiles.begin(), tiles.end());
    encoder.encode_tiles(views, scale, out);
  } else {
    encoder.encode(pictures.picture(index), scale, out);
  }
}

/// Few large values among many small ones, as latents have.
Latents random_latents(LatentShape shape, float scale, uint32_t seed) {
  std::minstd_rand random(seed);
  Latents latents;
  latents.resize(shape);
  latents.scale = scale;
  for (int8_t& value : latents.values) {
    const auto bits = static_cast<uint32_t>(random());
    value = static_cast<int8_t>(static_cast<int>(bits >> 8 & 7) - 3 + (bits % 61 == 0 ? 40 : 0));
  }
  return latents;
}

}  // namespace

std::string Workload::name() const {
  if (tiles > 0) return std::to_string(tiles) + (tiles == 1 ? " tile" : " tiles");
  return std::to_string(picture.width) + "x" + std::to_string(picture.height);
}

size_t Workload::pixels() const {
  return tiles > 0 ? static_cast<size_t>(tiles) * kTileSide * kTileSide : picture.pixels();
}

EndTiming time_encoder(Encoder& encoder, const Backend& backend, const Model& model, const Workload& workload,
                       double seconds) {
  Pictures pictures(backend, workload);
  const float scale = model.scale_for_quality(55);
  Latents latents;
  return timed(encoder, seconds, [&](uint64_t i) { encode(encoder, pictures, workload, i, scale, latents); });
}

EndTiming time_decoder(Decoder& decoder, const Backend& backend, const Model& model, const Workload& workload,
                       double seconds) {
  Pictures pictures(backend, workload);
  const LatentShape shape = workload.tiles > 0 ? tile_latent_shape(workload.tiles, model.latent_channels)
                                               : latent_shape(workload.picture, model.latent_channels);
  std::vector<Latents> latents;
  for (uint32_t i = 0; i < 3; ++i) {
    latents.push_back(random_latents(shape, model.scale_for_quality(55), i + 1));
  }
  return timed(decoder, seconds, [&](uint64_t i) {
    const Latents& input = latents[i % latents.size()];
    if (workload.tiles > 0) {
      decoder.decode_tiles(input, pictures.tiles(i));
    } else {
      decoder.decode(input, pictures.picture(i));
    }
  });
}

}  // namespace latentdesk
