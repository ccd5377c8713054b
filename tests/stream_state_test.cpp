#include "common/codec/codec.h"
#include "common/fidelity.h"
#include "common/stream/canvas.h"
#include "common/stream/screen_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

// The state of the stream against a plain framebuffer: whatever is drawn, and whichever updates a viewer
// takes or skips, its canvas is the screen, to the bit wherever the server believes so.

namespace latentdesk {
namespace {

constexpr uint32_t kSlots = 40;  // few, so that they are taken for others

/// A desktop that changes at random in the ways that desktops do.
class Desktop {
 public:
  Desktop(Size size, unsigned seed) : image_(size), random_(seed) {
    fill({0, 0, size.width, size.height});
    for (int i = 0; i < 6; ++i) draw();
  }

  ImageView view() const { return image_.view(); }

  void change() {
    switch (pick(0, 5)) {
      case 0:
        return scroll();
      case 1:
        return show_and_hide();
      default:
        return draw();
    }
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  Rect some_rect() {
    const int width = pick(1, image_.size().width), height = pick(1, image_.size().height);
    return {pick(0, image_.size().width - width), pick(0, image_.size().height - height), width, height};
  }

  void set(int x, int y, uint32_t pixel) {
    std::memcpy(image_.view().row(y) + x * kBytesPerPixel, &pixel, sizeof pixel);
  }

  void fill(const Rect& r) {
    const uint32_t colour = static_cast<uint32_t>(random_()) | 0xff000000u;
    paint(r, [colour](int, int) { return colour; });
  }

  template <typename Shade>
  void paint(const Rect& r, const Shade& shade) {
    for (int y = r.y; y < r.bottom(); ++y) {
      for (int x = r.x; x < r.right(); ++x) set(x, y, shade(x, y));
    }
  }

  void draw() {
    const Rect r = some_rect();
    const int kind = pick(0, 3);
    const auto seed = static_cast<uint32_t>(random_());
    if (kind == 0) return fill(r);
    paint(r, [&](int x, int y) -> uint32_t {
      const auto noise = static_cast<uint32_t>(random_());
      if (kind == 1) return 0xff000000u | ((noise >> 7 & 3) == 0 ? seed : ~seed);              // like text
      if (kind == 2) return 0xff000000u | (static_cast<uint32_t>((x + y) * 0x010203) ^ seed);  // a gradient
      return 0xff000000u | (noise & 0x3f3f3f);                                                 // a photograph
    });
  }

  void scroll() {
    const Rect r = some_rect();
    const int dy = pick(1, 40);
    for (int y = r.y; y + dy < r.bottom(); ++y) {
      std::memmove(image_.view().row(y) + r.x * 4, image_.view().row(y + dy) + r.x * 4,
                   static_cast<size_t>(r.width) * 4);
    }
  }

  void show_and_hide() {
    if (covered_.size() == image_.size()) {
      std::swap(covered_, image_);
      covered_.resize({0, 0});
    } else {
      covered_ = image_;
      draw();
    }
  }

  Image image_;
  Image covered_;
  std::mt19937 random_;
};

struct Viewer {
  Viewer(const Model& model, const Backend& backend)
      : canvas(make_decoder(model, backend, 1), model.latent_channels, kSlots) {}

  void take(const UpdatePtr& update) {
    std::vector<uint8_t> message(update->prefix.begin(), update->prefix.end());
    message.insert(message.end(), update->payload.begin(), update->payload.end());
    const MessageView parts = split_message(message);
    canvas.apply(parse_update_header(parts.header), parts.payload);
  }

  Canvas canvas;
  ViewerState state;
};

class StreamState : public testing::TestWithParam<unsigned> {
 protected:
  StreamState() : model_(load_model(std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors")) {}

  ScreenState new_state() {
    return {ContentEncoder(make_encoder(model_, backend_, 1), make_decoder(model_, backend_, 1),
                           model_.latent_channels),
            kSlots};
  }

  /// Blocks that the server takes to be exact are so.
  void expect_exact_blocks(const Viewer& viewer, ImageView screen, const TileGrid& grid) {
    for (size_t tile = 0; tile < grid.tiles(); ++tile) {
      const Rect rect = grid.rect(tile);
      const ImageView shown = part(viewer.canvas.picture().view(), rect), original = part(screen, rect);
      for_each_run(shown.size, ~viewer.state.lossy(tile), [&](int x, int y, int count) {
        for (int i = x; i < x + count; ++i) {
          ASSERT_EQ(0, std::memcmp(shown.row(y) + i * 4, original.row(y) + i * 4, 3))
              << "tile " << tile << " at " << i << "," << y;
        }
      });
    }
  }

  Model model_;
  Backend backend_ = choose_backend(Device::cpu);
};

TEST_P(StreamState, CanvasIsTheScreenWhateverIsTakenOrSkipped) {
  std::mt19937 random(GetParam());
  const Size size{static_cast<int>(70 + random() % 200), static_cast<int>(70 + random() % 150)};
  Desktop desktop(size, GetParam());
  ScreenState state = new_state();
  std::vector<std::unique_ptr<Viewer>> viewers;
  SteadyTime now{};
  for (int step = 0; step < 60; ++step) {
    now += std::chrono::milliseconds(random() % 400);
    desktop.change();
    state.advance(desktop.view(), now, step);
    if (viewers.size() < 5 && step % 9 == 0) {
      viewers.push_back(std::make_unique<Viewer>(model_, backend_));
      viewers.back()->canvas.reset(size);
      viewers.back()->state = state.new_viewer(viewers.size() % 2 == 0 ? 8 : kSlots);
    }
    for (size_t i = 0; i < viewers.size(); ++i) {
      if (random() % 6 < i) continue;  // the later ones skip more
      Viewer& viewer = *viewers[i];
      const CodingQuality quality = coding_quality(model_, static_cast<int>(random() % 3 * 35 + 25));
      for (const UpdatePtr& update : state.bring_up_to_date(viewer.state, quality)) viewer.take(update);
      ASSERT_EQ(viewer.canvas.number(), state.number());
      ASSERT_NO_FATAL_FAILURE(expect_exact_blocks(viewer, desktop.view(), state.grid())) << "step " << step;
      if (random() % 4 == 0) {
        const size_t soon = random() % 2 ? 0 : 1'000'000;
        const UpdatePtr refined = state.refine(
            viewer.state, now,
            {.rest = std::chrono::milliseconds(100), .x = 30, .y = 30, .bytes = 5000, .soon = soon});
        if (refined) viewer.take(refined);
        ASSERT_NO_FATAL_FAILURE(expect_exact_blocks(viewer, desktop.view(), state.grid())) << "step " << step;
      }
    }
  }
  now += std::chrono::seconds(1);
  for (const auto& viewer : viewers) {
    for (const UpdatePtr& update : state.bring_up_to_date(viewer->state, coding_quality(model_, 50)))
      viewer->take(update);
    const Refinement how{.rest = std::chrono::milliseconds(100), .bytes = 20000, .soon = 30000};
    while (const UpdatePtr refined = state.refine(viewer->state, now, how)) {
      viewer->take(refined);
    }
    EXPECT_TRUE(viewer->state.is_exact());
    expect_exact_blocks(*viewer, desktop.view(), state.grid());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StreamState, testing::Range(1u, 13u));

}  // namespace
}  // namespace latentdesk
