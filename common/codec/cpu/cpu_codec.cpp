#include "common/codec/backend.h"
#include "common/codec/cpu/executor.h"
#include "common/codec/cpu/pixels.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dnnl.hpp>
#include <omp.h>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace latentdesk::cpu {

namespace {

int thread_count(int requested) {
  return requested > 0 ? requested : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Convolutions of bytes are worth it where the processor multiplies four at a time.
bool multiplies_bytes() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
    case dnnl::cpu_isa::avx:
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx512_core:
      return false;
    default:
      return true;
  }
}

/// LATENTDESK_PRECISION, of int8 and float32, decides where both are possible.
bool computes_in_bytes(const Network& network, int begin, int end) {
  const char* wish = std::getenv("LATENTDESK_PRECISION");
  if (wish && std::string_view(wish) != "int8" && std::string_view(wish) != "float32") {
    throw std::runtime_error("LATENTDESK_PRECISION is neither int8 nor float32");
  }
  const bool wanted = wish ? std::string_view(wish) == "int8" : multiplies_bytes();
  return wanted && Executor::has_steps(network, begin, end);
}

/// Tiles go through a network a few at a time, so that what passes between its layers stays in the cache.
constexpr std::array kTileBatches = {16, 8, 4, 2, 1};

/// Layers of a network, ready for the picture size that was last asked for, and for batches of tiles.
class NetworkRunner {
 public:
  /// `bytes`: what the network reads where it computes in 8 bits.
  NetworkRunner(Network network, int begin, int end, Element bytes)
      : network_(std::move(network)),
        begin_(begin),
        end_(end),
        element_(computes_in_bytes(network_, begin, end) ? bytes : Element::float32) {}

  bool in_bytes() const { return element_ != Element::float32; }

  Executor& for_picture(LatentShape shape) {
    if (!picture_ || shape != shape_) {
      picture_.reset();  // before the new one takes its memory
      picture_.emplace(network_, begin_, end_, element_, 1, shape.height, shape.width);
      shape_ = shape;
    }
    return *picture_;
  }

  /// Calls `run(executor, first, count)` for all of `tiles` tiles, batch by batch.
  template <typename Run>
  void for_tiles(size_t tiles, const Run& run) {
    size_t first = 0;
    for (size_t i = 0; i < kTileBatches.size(); ++i) {
      const auto batch = static_cast<size_t>(kTileBatches[i]);
      for (; tiles - first >= batch; first += batch) {
        auto& executor = tile_batches_[i];
        if (!executor) {
          executor.emplace(network_, begin_, end_, element_, kTileBatches[i], kTileLatentSide,
                           kTileLatentSide);
        }
        run(*executor, first, batch);
      }
    }
  }

 private:
  Network network_;
  int begin_;
  int end_;
  Element element_;
  LatentShape shape_;
  std::optional<Executor> picture_;
  std::array<std::optional<Executor>, kTileBatches.size()> tile_batches_;
};

class CpuEncoder : public Encoder {
 public:
  CpuEncoder(const Model& model, int threads)
      : runner_(model.encoder, 1, static_cast<int>(model.encoder.size()), Element::uint8),
        channels_(model.latent_channels),
        threads_(thread_count(threads)) {}

  void analyse(ImageView image) override {
    omp_set_num_threads(threads_);
    shape_ = latent_shape(image.size, channels_);
    Executor& executor = runner_.for_picture(shape_);
    if (runner_.in_bytes()) {
      space_to_depth(image, kLatentStride, executor.input<uint8_t>());
    } else {
      space_to_depth(image, kLatentStride, executor.input<float>());
    }
    executor.run();
    analysed_ = executor.output();
  }

  void analyse_tiles(std::span<const ImageView> tiles) override {
    omp_set_num_threads(threads_);
    shape_ = tile_latent_shape(static_cast<int>(tiles.size()), channels_);
    tile_latents_.resize(shape_.elements());
    float* out = tile_latents_.data();
    runner_.for_tiles(tiles.size(), [&](Executor& executor, size_t first, size_t count) {
      const auto some = tiles.subspan(first, count);
      if (runner_.in_bytes()) {
        tiles_to_depth(some, kTileSide, kLatentStride, executor.input<uint8_t>());
      } else {
        tiles_to_depth(some, kTileSide, kLatentStride, executor.input<float>());
      }
      executor.run();
      out = std::copy_n(executor.output(), executor.output_size(), out);
    });
    analysed_ = tile_latents_.data();
  }

  void quantise(float scale, Latents& out) override {
    omp_set_num_threads(threads_);
    out.resize(shape_);
    out.scale = scale;
    cpu::quantise(analysed_, out);
  }

 private:
  NetworkRunner runner_;
  int channels_;
  int threads_;
  LatentShape shape_;
  const float* analysed_ = nullptr;  ///< of shape_, in tile_latents_ or in an executor
  std::vector<float> tile_latents_;
};

class CpuDecoder : public Decoder {
 public:
  CpuDecoder(const Model& model, int threads)
      : runner_(model.decoder, 0, static_cast<int>(model.decoder.size()) - 1, Element::int8),
        channels_(model.latent_channels),
        last_block_(model.decoder.back().block),
        threads_(thread_count(threads)) {}

  void decode(const Latents& latents, MutableImageView image) override {
    if (latents.shape != latent_shape(image.size, channels_)) {
      throw std::invalid_argument("latents and picture differ in shape");
    }
    omp_set_num_threads(threads_);
    Executor& executor = runner_.for_picture(latents.shape);
    fill(executor, latents, 0, latents.shape.positions());
    executor.run();
    depth_to_space(executor.output(), latents.shape.width * kLatentStride / last_block_, last_block_, image);
  }

  void decode_tiles(const Latents& latents, std::span<const MutableImageView> tiles) override {
    if (latents.shape != tile_latent_shape(static_cast<int>(tiles.size()), channels_)) {
      throw std::invalid_argument("latents and tiles differ in shape");
    }
    omp_set_num_threads(threads_);
    constexpr size_t kPositions = size_t{kTileLatentSide} * kTileLatentSide;
    runner_.for_tiles(tiles.size(), [&](Executor& executor, size_t first, size_t count) {
      fill(executor, latents, first * kPositions, count * kPositions);
      executor.run();
      depth_to_tiles(executor.output(), kTileSide, last_block_, tiles.subspan(first, count));
    });
  }

 private:
  void fill(Executor& executor, const Latents& latents, size_t begin, size_t count) const {
    if (!runner_.in_bytes()) return dequantise(latents, begin, count, executor.input<float>());
    executor.set_input_step(latents.scale);
    dequantise(latents, begin, count, executor.input<int8_t>());
  }

  NetworkRunner runner_;
  int channels_;
  int last_block_;
  int threads_;
};

std::string probe() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2 with VNNI";
    case dnnl::cpu_isa::avx512_core:
      return "AVX-512";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX-512 with VNNI";
    default:
      return "AVX-512 with bf16";
  }
}

DeviceReport report() {
  DeviceReport result;
  result.text = "CPU, " + probe() + ", " + std::to_string(thread_count(0)) + " cores, oneDNN " +
                std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor);
  return result;
}

}  // namespace

}  // namespace latentdesk::cpu

extern "C" __attribute__((visibility("default"))) const latentdesk::BackendInterface latentdesk_backend{
    .probe = latentdesk::cpu::probe,
    .make_encoder = [](const latentdesk::Model& model, int threads) -> std::unique_ptr<latentdesk::Encoder> {
      return std::make_unique<latentdesk::cpu::CpuEncoder>(model, threads);
    },
    .make_decoder = [](const latentdesk::Model& model, int threads) -> std::unique_ptr<latentdesk::Decoder> {
      return std::make_unique<latentdesk::cpu::CpuDecoder>(model, threads);
    },
    .report = latentdesk::cpu::report,
    .pin = [](std::span<uint8_t>) { return std::shared_ptr<void>(); }};
