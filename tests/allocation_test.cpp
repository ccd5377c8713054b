#include "common/codec/frame_encoder.h"
#include "common/stream/update.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>

// A stream of one size must take no memory for a frame. This program's operator new counts; it serves the
// backends too. oneDNN makes small maps of its own at each call, which are not ours to avoid: they are told
// by their caller, and bounded.

namespace {

std::atomic<bool> counting{false};
std::atomic<int> ours{0};
std::atomic<size_t> largest_of_onednn{0};

bool is_onednn(const void* caller) {
  Dl_info info{};
  return dladdr(caller, &info) && info.dli_fname && std::strstr(info.dli_fname, "libdnnl");
}

void* counted_allocation(size_t size, size_t alignment, const void* caller) {
  if (counting.exchange(false)) {  // off while we look, since that may allocate
    if (is_onednn(caller)) {
      largest_of_onednn = std::max(largest_of_onednn.load(), size);
    } else {
      ++ours;
    }
    counting = true;
  }
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return counted_allocation(size, 16, __builtin_return_address(0)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return counted_allocation(size, static_cast<size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace latentdesk {
namespace {

class Stream {
 public:
  void frame() {
    const auto result = encoder_.encode(picture_.view(), model_.scale_for_quality(70), payload_);
    header_.latent = result.shape;
    header_.scale = result.scale;
    unpack(header_, payload_, inflater_, latents_);
    decoder_->decode(latents_, shown_.view());
  }

 private:
  Model model_ = load_model(std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors");
  Backend backend_ = choose_backend(Device::cpu);
  FrameEncoder encoder_{make_encoder(model_, backend_, 2)};
  std::unique_ptr<Decoder> decoder_ = make_decoder(model_, backend_, 2);
  Inflater inflater_;
  Latents latents_;
  Image picture_{Size{640, 360}};
  Image shown_{Size{640, 360}};
  std::vector<uint8_t> payload_;
  FrameHeader header_{{}, 0, {640, 360}, 0, "m"};
};

TEST(Allocation, CounterCounts) {
  counting = true;
  ::operator delete(::operator new(1));
  counting = false;
  EXPECT_GE(ours.exchange(0), 1);
}

TEST(Allocation, NoneInEncodePackUnpackDecode) {
  Stream stream;
  for (int i = 0; i < 3; ++i) stream.frame();
  counting = true;
  for (int i = 0; i < 20; ++i) stream.frame();
  counting = false;
  EXPECT_EQ(ours, 0);
  EXPECT_LE(largest_of_onednn, 256u) << "oneDNN allocates more than its argument maps";
}

TEST(Allocation, NoneInPackingUpdates) {
  UpdateParts parts;
  parts.latent_channels = 96;
  parts.latents.assign(3 * 64 * 96, 0);
  parts.operations.assign(5000, 3);
  parts.pixel_areas = {{{64, 64}, kWholeTile}};
  for (auto& plane : parts.residuals) plane.assign(kTilePixels, 2);
  UpdateHeader header;
  std::vector<uint8_t> payload;
  UpdatePacker packer;
  UpdateUnpacker unpacker;
  LatentCoder latents;
  const auto frame = [&](int i) {
    for (size_t k = 0; k < parts.latents.size(); k += 7)
      parts.latents[k] = static_cast<int8_t>(k % 5 + i % 3);
    payload.clear();
    packer.pack(parts, header, payload);
    unpacker.unpack(header, payload);
    latents.decode(unpacker.part(Part::latents), parts.latent_channels, parts.latents);
  };
  for (int i = 0; i < 6; ++i) frame(i);
  counting = true;
  for (int i = 0; i < 20; ++i) frame(i);
  counting = false;
  EXPECT_EQ(ours, 0);
}

}  // namespace
}  // namespace latentdesk
