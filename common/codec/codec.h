#pragma once

#include "common/codec/latents.h"
#include "common/codec/model.h"
#include "common/image.h"

#include <memory>
#include <span>
#include <string>

namespace latentdesk {

/// Side in pixels of the tiles that are coded alone: neither network sees beyond a tile's border.
inline constexpr int kTileSide = 64;
inline constexpr int kTileLatentSide = kTileSide / kLatentStride;

/// Shape of the latents of `count` tiles: one tall picture, tile below tile.
constexpr LatentShape tile_latent_shape(int count, int channels) {
  return {kTileLatentSide, kTileLatentSide * count, channels};
}

/// What a call cost on a device of its own, by the device's clock, in ms; zeros on the CPU. Transfers are
/// those between page-locked memory and the device.
struct DeviceTimes {
  double upload = 0;
  double compute = 0;
  double download = 0;

  double total() const { return upload + compute + download; }
};

/// Picture to latents. Built on one backend; all calls come from one thread. Buffers are made at the first
/// picture of a size and kept, so a stream of one size allocates nothing. Methods throw std::runtime_error
/// when the device fails; nothing can be had from it then.
class Encoder {
 public:
  virtual ~Encoder() = default;

  /// Makes ready for pictures of this size, and for its tiles in any number, so that the first come as fast
  /// as the later ones. Need not be called.
  virtual void prepare(Size) {}

  /// Fills `out` with the latents of `image`, any size that is_valid, in steps of `scale`; sides that are no
  /// multiple of 8 are padded by their last pixels.
  virtual void encode(ImageView image, float scale, Latents& out) = 0;

  /// Fills `out`, of tile_latent_shape, with the latents of each of `tiles` alone, as if it were a picture of
  /// 64x64 pixels; smaller ones are padded by their last pixels. At least one.
  virtual void encode_tiles(std::span<const ImageView> tiles, float scale, Latents& out) = 0;

  /// Of the last call; zeros before the first.
  virtual DeviceTimes device_times() const { return {}; }
  /// How the device runs each layer of what it is ready for, a line each; empty on the CPU.
  virtual std::string plan() const { return {}; }
};

/// Latents to picture. All calls come from one thread; allocates as Encoder does.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// As Encoder's.
  virtual void prepare(Size) {}

  /// Fills `image`, whose size must have the latents' shape; what lies beyond it is cropped. The X byte is
  /// 255.
  virtual void decode(const Latents& latents, MutableImageView image) = 0;

  /// Fills `tiles`, each alone, from latents of their tile_latent_shape; a tile smaller than 64x64 takes the
  /// top left part.
  virtual void decode_tiles(const Latents& latents, std::span<const MutableImageView> tiles) = 0;

  /// As Encoder's, of the last call.
  virtual DeviceTimes device_times() const { return {}; }
  virtual std::string plan() const { return {}; }
};

enum class Device { automatic, cuda, cpu };

struct CodecOptions {
  Device device = Device::automatic;
  int threads = 0;  ///< of the CPU backend; 0 is one for each core
};

/// A backend that works on this machine.
struct Backend {
  std::string name;         ///< "cpu" or "cuda"
  std::string description;  ///< of the device, and why it was taken; for the log
};

/// A device, opened for real.
struct DeviceReport {
  std::string text;        ///< what it is, in a line
  double memory_rate = 0;  ///< its peak, bytes a second; 0 where unknown
  double matrix_rate =
      0;  ///< its peak in fp16, operations a second (two for a multiply-add); 0 where unknown
  size_t memory_used = 0;  ///< bytes of its own memory that this process holds in buffers
};

/// Probes for a backend. Throws std::runtime_error, with what to do, when the device cannot be had; falls
/// back only for `automatic`, and says so in the description. Call it first from main, before other threads
/// start.
Backend choose_backend(Device device);

/// `threads` is of the CPU backend; 0 is one for each core.
std::unique_ptr<Encoder> make_encoder(const Model& model, const Backend& backend, int threads);
std::unique_ptr<Decoder> make_decoder(const Model& model, const Backend& backend, int threads);

/// Throws std::runtime_error when the device has failed. Any thread.
DeviceReport device_report(const Backend& backend);

/// Lets the device read pictures in `memory` without a copy between, until the result is destroyed, which
/// must be before the memory is freed. Null where that cannot be had or is of no use. Any thread.
std::shared_ptr<void> pin_memory(const Backend& backend, std::span<uint8_t> memory);

}  // namespace latentdesk
