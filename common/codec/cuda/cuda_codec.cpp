#include "common/codec/backend.h"
#include "common/codec/cuda/plans.h"
#include "common/codec/cuda/transfer.h"

#include <cstring>
#include <vector>

// The way of a picture: up in one copy, one kernel to fp16 blocks, the network as one CUDA graph, one kernel
// to planar int8, down in one copy. Copies and the two kernels stay outside the graph, since what they take
// changes from call to call: the picture's address, the scale, the number of tiles. The calling thread sleeps
// once, at the end.

namespace latentdesk::cuda {

namespace {

constexpr size_t kTilePositions = size_t{kTileLatentSide} * kTileLatentSide;

class CudaEncoder : public Encoder {
 public:
  explicit CudaEncoder(const Model& model)
      : plans_(context_, model.encoder, 1, static_cast<int>(model.encoder.size())),
        channels_(model.latent_channels),
        transfer_(context_) {}
  ~CudaEncoder() override {
    cudaStreamSynchronize(context_.stream());
  }  // a call that failed may have left work

  void prepare(Size size) override { plans_.prepare(size, latent_shape(size, channels_)); }

  void encode(ImageView image, float scale, Latents& out) override {
    const LatentShape shape = latent_shape(image.size, channels_);
    NetworkPlan& plan = plans_.for_picture(shape);
    watch_.mark(kBegin, context_);
    const DevicePicture picture = transfer_.upload(image);
    watch_.mark(kUploaded, context_);
    unshuffle(picture, plan.input(), context_.stream());
    plan.launch();
    quantise(plan.output(), shape, scale, out);
  }

  void encode_tiles(std::span<const ImageView> tiles, float scale, Latents& out) override {
    const LatentShape shape = tile_latent_shape(static_cast<int>(tiles.size()), channels_);
    const auto pitch = static_cast<size_t>(padded_channels(channels_));
    tile_latents_.reserve(shape.positions() * pitch);
    watch_.mark(kBegin, context_);
    const DevicePicture picture = transfer_.upload_tiles(tiles);
    watch_.mark(kUploaded, context_);
    plans_.for_tiles(tiles.size(), [&](NetworkPlan& plan, size_t first, size_t count) {
      unshuffle(tiles_of(picture, first, count), plan.input(), context_.stream());
      plan.launch();
      const size_t values = kTilePositions * pitch;
      check(cudaMemcpyAsync(tile_latents_.get() + first * values, plan.output(),
                            count * values * sizeof(__half), cudaMemcpyDeviceToDevice, context_.stream()),
            "keep latents");
    });
    quantise(tile_latents_.get(), shape, scale, out);
  }

  DeviceTimes device_times() const override {
    if (!timed_) return {};
    return {watch_.between(kBegin, kUploaded), watch_.between(kUploaded, kQuantised),
            watch_.between(kQuantised, kEnd)};
  }

  std::string plan() const override { return plans_.description(); }

 private:
  enum Mark : size_t { kBegin, kUploaded, kQuantised, kEnd, kMarks };

  /// Rounds what the network gives, and waits for it.
  void quantise(const __half* analysed, LatentShape shape, float scale, Latents& out) {
    out.resize(shape);
    out.scale = scale;
    const size_t bytes = shape.elements();
    quantised_.reserve(bytes);
    downloaded_.reserve(bytes);
    cuda::quantise(analysed, shape.positions(), channels_, scale, quantised_.get(), context_.stream());
    watch_.mark(kQuantised, context_);
    check(cudaMemcpyAsync(downloaded_.get(), quantised_.get(), bytes, cudaMemcpyDeviceToHost,
                          context_.stream()),
          "give latents");
    watch_.mark(kEnd, context_);
    context_.wait();
    std::memcpy(out.values.data(), downloaded_.get(), bytes);
    timed_ = true;
  }

  Context context_;
  Plans plans_;
  int channels_;
  PictureTransfer transfer_;
  DeviceBuffer<__half> tile_latents_;
  DeviceBuffer<int8_t> quantised_;
  PinnedBuffer<int8_t> downloaded_;
  Stopwatch<kMarks> watch_;
  bool timed_ = false;  ///< whether every mark of watch_ was reached
};

class CudaDecoder : public Decoder {
 public:
  explicit CudaDecoder(const Model& model)
      : plans_(context_, model.decoder, 0, static_cast<int>(model.decoder.size()) - 1),
        channels_(model.latent_channels),
        last_block_(model.decoder.back().block),
        transfer_(context_) {}

  void prepare(Size size) override { plans_.prepare(size, latent_shape(size, channels_)); }

  void decode(const Latents& latents, MutableImageView image) override {
    if (latents.shape != latent_shape(image.size, channels_)) {
      throw std::invalid_argument("latents and picture differ in shape");
    }
    NetworkPlan& plan = plans_.for_picture(latents.shape);
    const DevicePicture picture =
        transfer_.room({latents.shape.width * kLatentStride, latents.shape.height * kLatentStride});
    upload(latents);
    run(plan, latents, 0, latents.shape.positions(), picture);
    finish(picture, image);
    transfer_.deliver(image);
  }

  void decode_tiles(const Latents& latents, std::span<const MutableImageView> tiles) override {
    if (latents.shape != tile_latent_shape(static_cast<int>(tiles.size()), channels_)) {
      throw std::invalid_argument("latents and tiles differ in shape");
    }
    const DevicePicture picture = transfer_.room({kTileSide, latents.shape.height * kLatentStride});
    upload(latents);
    plans_.for_tiles(tiles.size(), [&](NetworkPlan& plan, size_t first, size_t count) {
      run(plan, latents, first * kTilePositions, count * kTilePositions, tiles_of(picture, first, count));
    });
    finish(picture, {});
    transfer_.deliver_tiles(tiles);
  }

  DeviceTimes device_times() const override {
    if (!timed_) return {};
    return {watch_.between(kBegin, kUploaded), watch_.between(kUploaded, kDecoded),
            watch_.between(kDecoded, kEnd)};
  }

  std::string plan() const override { return plans_.description(); }

 private:
  enum Mark : size_t { kBegin, kUploaded, kDecoded, kEnd, kMarks };

  void upload(const Latents& latents) {
    const size_t bytes = latents.shape.elements();
    staging_.reserve(bytes);  // nothing reads it: each decode waits for its end
    quantised_.reserve(bytes);
    std::memcpy(staging_.get(), latents.values.data(), bytes);
    watch_.mark(kBegin, context_);
    check(cudaMemcpyAsync(quantised_.get(), staging_.get(), bytes, cudaMemcpyHostToDevice, context_.stream()),
          "take latents");
    watch_.mark(kUploaded, context_);
  }

  void run(NetworkPlan& plan, const Latents& latents, size_t first, size_t count,
           const DevicePicture& picture) {
    dequantise(quantised_.get(), latents.shape.positions(), first, count, channels_, latents.scale,
               plan.input(), context_.stream());
    plan.launch();
    to_bgrx(plan.output(), plan.output_pitch(), last_block_, picture, context_.stream());
  }

  void finish(const DevicePicture& picture, MutableImageView image) {
    watch_.mark(kDecoded, context_);
    transfer_.download(picture, image);
    watch_.mark(kEnd, context_);
    context_.wait();
    timed_ = true;
  }

  Context context_;
  Plans plans_;
  int channels_;
  int last_block_;
  PictureTransfer transfer_;
  PinnedBuffer<int8_t> staging_;
  DeviceBuffer<int8_t> quantised_;
  Stopwatch<kMarks> watch_;
  bool timed_ = false;  ///< whether every mark of watch_ was reached
};

/// A convolution with weights that pass everything on, run for real: driver, machine code and all of cuDNN's
/// libraries work.
void try_convolution() {
  constexpr int kChannels = 8, kSide = 8;
  Layer layer;
  layer.in_channels = layer.out_channels = kChannels;
  layer.kernel = 3;
  layer.relu = true;
  layer.weights.assign(size_t{kChannels} * kChannels * 9, 0.0f);
  for (size_t c = 0; c < kChannels; ++c) layer.weights[(c * kChannels + c) * 9 + 4] = 1.0f;
  layer.bias.assign(kChannels, 0.5f);
  const Network network{layer};
  const Context context;
  const NetworkWeights weights = upload_weights(context, network);
  NetworkPlan plan(context, network, weights, 0, 1, {1, kSide, kSide});
  std::vector<__half> values(size_t{kSide} * kSide * kChannels, __float2half(2.0f));
  const size_t bytes = values.size() * sizeof(__half);
  check(cudaMemcpyAsync(plan.input(), values.data(), bytes, cudaMemcpyHostToDevice, context.stream()),
        "take data");
  plan.launch();
  check(cudaMemcpyAsync(values.data(), plan.output(), bytes, cudaMemcpyDeviceToHost, context.stream()),
        "give data");
  check(cudaStreamSynchronize(context.stream()), "run a convolution");
  for (const __half value : values) {
    if (__half2float(value) != 2.5f) throw std::runtime_error("the GPU computes wrongly");
  }
}

std::string probe() {
  open_device();
  try_convolution();
  return describe_device().text;
}

}  // namespace

}  // namespace latentdesk::cuda

extern "C" __attribute__((visibility("default"))) const latentdesk::BackendInterface latentdesk_backend{
    .probe = latentdesk::cuda::probe,
    .make_encoder = [](const latentdesk::Model& model, int) -> std::unique_ptr<latentdesk::Encoder> {
      return std::make_unique<latentdesk::cuda::CudaEncoder>(model);
    },
    .make_decoder = [](const latentdesk::Model& model, int) -> std::unique_ptr<latentdesk::Decoder> {
      return std::make_unique<latentdesk::cuda::CudaDecoder>(model);
    },
    .report = latentdesk::cuda::describe_device,
    .pin = latentdesk::cuda::pin};
