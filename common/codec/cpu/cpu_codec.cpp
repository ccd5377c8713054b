#include "common/codec/backend.h"
#include "common/codec/cpu/executor.h"
#include "common/codec/cpu/pixels.h"

#include <dnnl.hpp>
#include <omp.h>
#include <optional>
#include <stdexcept>
#include <thread>

namespace latentdesk::cpu {

namespace {

int thread_count(int requested) {
  return requested > 0 ? requested : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// A network's executor for the shape that was last asked for.
class ShapedExecutor {
 public:
  ShapedExecutor(Network network, int begin, int end)
      : network_(std::move(network)), begin_(begin), end_(end) {}

  Executor& prepare(LatentShape shape) {
    if (!executor_ || shape != shape_) {
      executor_.reset();  // before the new one takes its memory
      executor_.emplace(network_, begin_, end_, shape.height, shape.width);
      shape_ = shape;
    }
    return *executor_;
  }

  Executor& current() { return executor_.value(); }
  LatentShape shape() const { return shape_; }
  const Network& network() const { return network_; }

 private:
  Network network_;
  int begin_;
  int end_;
  LatentShape shape_;
  std::optional<Executor> executor_;
};

class CpuEncoder : public Encoder {
 public:
  CpuEncoder(const Model& model, int threads)
      : executor_(model.encoder, 1, static_cast<int>(model.encoder.size())),
        channels_(model.latent_channels),
        threads_(thread_count(threads)) {}

  void analyse(ImageView image) override {
    omp_set_num_threads(threads_);
    Executor& executor = executor_.prepare(latent_shape(image.size, channels_));
    space_to_depth(image, kLatentStride, executor.input());
    executor.run();
  }

  void quantise(float scale, Latents& out) override {
    omp_set_num_threads(threads_);
    out.resize(executor_.shape());
    out.scale = scale;
    cpu::quantise(executor_.current().output(), out);
  }

 private:
  ShapedExecutor executor_;
  int channels_;
  int threads_;
};

class CpuDecoder : public Decoder {
 public:
  CpuDecoder(const Model& model, int threads)
      : executor_(model.decoder, 0, static_cast<int>(model.decoder.size()) - 1),
        channels_(model.latent_channels),
        last_block_(model.decoder.back().block),
        threads_(thread_count(threads)) {}

  void decode(const Latents& latents, MutableImageView image) override {
    if (latents.shape != latent_shape(image.size, channels_)) {
      throw std::invalid_argument("latents and picture differ in shape");
    }
    omp_set_num_threads(threads_);
    Executor& executor = executor_.prepare(latents.shape);
    dequantise(latents, executor.input());
    executor.run();
    depth_to_space(executor.output(), latents.shape.width * kLatentStride / last_block_, last_block_, image);
  }

 private:
  ShapedExecutor executor_;
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

}  // namespace

}  // namespace latentdesk::cpu

extern "C" __attribute__((visibility("default"))) const latentdesk::BackendInterface latentdesk_backend{
    .probe = latentdesk::cpu::probe,
    .make_encoder = [](const latentdesk::Model& model, int threads) -> std::unique_ptr<latentdesk::Encoder> {
      return std::make_unique<latentdesk::cpu::CpuEncoder>(model, threads);
    },
    .make_decoder = [](const latentdesk::Model& model, int threads) -> std::unique_ptr<latentdesk::Decoder> {
      return std::make_unique<latentdesk::cpu::CpuDecoder>(model, threads);
    }};
