#include "common/codec/backend.h"
#include "common/codec/cpu/network_runner.h"
#include "common/codec/cpu/pixels.h"

#include <algorithm>
#include <cstdlib>
#include <dnnl.hpp>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace latentdesk::cpu {

namespace {

constexpr size_t kTilePositions = size_t{kTileLatentSide} * kTileLatentSide;

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

/// `bytes`: what the network reads where it computes in 8 bits.
NetworkRunner runner_of(const Network& network, int begin, int end, Element bytes, int threads) {
  const Element element = computes_in_bytes(network, begin, end) ? bytes : Element::float32;
  return {network, begin, end, element, thread_count(threads)};
}

class CpuEncoder : public Encoder {
 public:
  CpuEncoder(const Model& model, int threads)
      : runner_(runner_of(model.encoder, 1, static_cast<int>(model.encoder.size()), Element::uint8, threads)),
        channels_(model.latent_channels) {}

  void encode(ImageView image, float scale, Latents& out) override {
    const LatentShape shape = latent_shape(image.size, channels_);
    start(shape, scale, out);
    const auto width = static_cast<size_t>(shape.width);
    const size_t row_values = width * static_cast<size_t>(channels_);
    runner_.for_strips(shape.height, shape.width, [&](Executor& executor, NetworkRunner::Strip strip) {
      const ImageView rows =
          image.rows(strip.first * kLatentStride, (strip.first + runner_.rows_read()) * kLatentStride);
      fill(executor, [&](auto* input) { space_to_depth(rows, kLatentStride, input); });
      executor.run();
      quantise(executor.output() + static_cast<size_t>(strip.begin - strip.first) * row_values,
               static_cast<size_t>(strip.begin) * width, static_cast<size_t>(strip.end - strip.begin) * width,
               out);
    });
  }

  void encode_tiles(std::span<const ImageView> tiles, float scale, Latents& out) override {
    start(tile_latent_shape(static_cast<int>(tiles.size()), channels_), scale, out);
    runner_.for_tiles(tiles.size(), [&](Executor& executor, size_t first, size_t count) {
      const auto some = tiles.subspan(first, count);
      fill(executor, [&](auto* input) { tiles_to_depth(some, kTileSide, kLatentStride, input); });
      executor.run();
      quantise(executor.output(), first * kTilePositions, count * kTilePositions, out);
    });
  }

 private:
  /// `write(input)`, of the elements that the executor reads.
  template <typename Write>
  void fill(Executor& executor, const Write& write) const {
    runner_.in_bytes() ? write(executor.input<uint8_t>()) : write(executor.input<float>());
  }

  static void start(LatentShape shape, float scale, Latents& out) {
    out.resize(shape);
    out.scale = scale;
  }

  NetworkRunner runner_;
  int channels_;
};

class CpuDecoder : public Decoder {
 public:
  CpuDecoder(const Model& model, int threads)
      : runner_(
            runner_of(model.decoder, 0, static_cast<int>(model.decoder.size()) - 1, Element::int8, threads)),
        channels_(model.latent_channels),
        last_block_(model.decoder.back().block) {}

  void decode(const Latents& latents, MutableImageView image) override {
    const LatentShape shape = latents.shape;
    if (shape != latent_shape(image.size, channels_)) {
      throw std::invalid_argument("latents and picture differ in shape");
    }
    const auto width = static_cast<size_t>(shape.width);
    const size_t row_values = width * kLatentStride * kLatentStride * 3;
    runner_.for_strips(shape.height, shape.width, [&](Executor& executor, NetworkRunner::Strip strip) {
      fill(executor, latents, static_cast<size_t>(strip.first) * width,
           static_cast<size_t>(runner_.rows_read()) * width);
      executor.run();
      depth_to_space(executor.output() + static_cast<size_t>(strip.begin - strip.first) * row_values,
                     shape.width * kLatentStride / last_block_, last_block_,
                     image.rows(strip.begin * kLatentStride, strip.end * kLatentStride));
    });
  }

  void decode_tiles(const Latents& latents, std::span<const MutableImageView> tiles) override {
    if (latents.shape != tile_latent_shape(static_cast<int>(tiles.size()), channels_)) {
      throw std::invalid_argument("latents and tiles differ in shape");
    }
    runner_.for_tiles(tiles.size(), [&](Executor& executor, size_t first, size_t count) {
      fill(executor, latents, first * kTilePositions, count * kTilePositions);
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
