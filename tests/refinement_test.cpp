#include "common/bench/simulated_link.h"
#include "common/codec/codec.h"
#include "common/fidelity.h"
#include "common/stream/canvas.h"
#include "common/stream/rate_control.h"
#include "common/stream/screen_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

// How soon a photograph at rest looks right, and is, in simulated time.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

constexpr Size kSize{1280, 720};
constexpr Rect kPhotograph{0, 0, 1280, 640};
constexpr Rect kBar{0, 640, 1280, 80};
constexpr Rect kCursor{700, 660, 2, 18};
constexpr uint32_t kSlots = 64;

void fill(Image& image, const Rect& rect, uint32_t colour) {
  for (int y = rect.y; y < rect.bottom(); ++y) {
    for (int x = rect.x; x < rect.right(); ++x)
      std::memcpy(image.view().row(y) + x * kBytesPerPixel, &colour, sizeof colour);
  }
}

/// Slopes with edges between them and the grain of a sensor, above a bar of one colour.
Image photograph() {
  Image image(kSize);
  std::mt19937 random(6);
  for (int y = 0; y < kSize.height; ++y) {
    for (int x = 0; x < kSize.width; ++x) {
      const double hill = 300 + 80 * std::sin(x / 130.0) + 40 * std::sin(x / 37.0);
      const double shade = y < hill ? 200 - y / 5.0 : 60 + 40 * std::sin(x / 9.0 + y / 5.0) + y / 12.0;
      for (int c = 0; c < 3; ++c) {
        const double grain = static_cast<double>(random() % 5 + random() % 5) - 4;
        image.view().row(y)[x * kBytesPerPixel + c] =
            static_cast<uint8_t>(std::clamp(shade + 15 * c + grain, 0.0, 255.0));
      }
    }
  }
  fill(image, kBar, 0xff303438);
  return image;
}

/// A server's state, a link of 20 Mbit/s and 10 ms each way, and a viewer.
class Scene {
 public:
  Scene() : rate_(60) {
    canvas_.reset(kSize);
    rate_.answered(20, now_);
  }

  /// Until `end`, in steps of a millisecond; the cursor changes every `blink`.
  void play(SteadyClock::duration end, SteadyClock::duration blink) {
    for (; now_ < kBegin + end; now_ += 1ms) {
      if (now_ == kBegin || (blink > 0ms && (now_ - kBegin) % blink == 0ms)) change();
      while (auto arrival = link_.receive(now_)) show(*arrival->message);
      serve();
      if (fidelity() == 99 && exact_ < 0ms) exact_ = now_ - kBegin;
    }
  }

  /// Of the photograph as it is shown, dB.
  double fidelity() {
    if (!shown_ && compared_) return *compared_;
    Fidelity fidelity;
    fidelity.add(part(screen_.view(), kPhotograph), part(canvas_.picture().view(), kPhotograph));
    shown_ = false;
    return *(compared_ = fidelity.psnr());
  }
  /// From the first change to a photograph that is exact; negative: not reached.
  SteadyClock::duration exact() const { return exact_; }

 private:
  void change() {
    fill(screen_, kCursor, (cursor_ = !cursor_) ? 0xffffffff : 0xff303438);
    state_.advance(screen_.view(), now_, 0);
    if (state_.number() == 1) known_ = state_.new_viewer(kSlots);
    shown_ = true;
  }

  void serve() {
    while (rate_.may_send(now_)) {
      auto updates = state_.bring_up_to_date(known_, coding_quality(model_, rate_.quality()));
      if (updates.empty()) {
        const Refinement how{.rest = rate_.rest(), .bytes = rate_.room(), .soon = rate_.soon()};
        if (auto refined = state_.refine(known_, now_, how)) updates.push_back(std::move(refined));
      }
      if (updates.empty()) return;
      for (UpdatePtr& update : updates) {
        const size_t bytes = update->bytes();
        rate_.sent(bytes, now_);
        link_.send(std::move(update), bytes, now_);
      }
    }
  }

  void show(const Update& update) {
    std::vector<uint8_t> message(update.prefix.begin(), update.prefix.end());
    message.insert(message.end(), update.payload.begin(), update.payload.end());
    const MessageView parts = split_message(message);
    canvas_.apply(parse_update_header(parts.header), parts.payload);
    rate_.acknowledged(++acknowledged_, now_);
    shown_ = true;
  }

  static constexpr SteadyTime kBegin{1h};

  const Model model_ = load_model(std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors");
  const Backend backend_ = choose_backend(Device::cpu);
  ScreenState state_{ContentEncoder(make_encoder(model_, backend_, 1), make_decoder(model_, backend_, 1),
                                    model_.latent_channels),
                     kSlots};
  Canvas canvas_{make_decoder(model_, backend_, 1), model_.latent_channels, kSlots};
  ViewerState known_;
  RateControl rate_;
  SimulatedLink<UpdatePtr> link_{20e6 / 8, 10ms};
  Image screen_ = photograph();
  SteadyTime now_ = kBegin;
  uint64_t acknowledged_ = 0;
  bool cursor_ = false;
  bool shown_ = true;  ///< something new, since it was compared
  std::optional<double> compared_;
  SteadyClock::duration exact_{-1};
};

/// Every how many milliseconds a cursor changes elsewhere.
class Refinement20Mbit : public testing::TestWithParam<int> {};

TEST_P(Refinement20Mbit, IsNotDelayedByACursor) {
  Scene scene;
  const std::chrono::milliseconds blink(GetParam());
  scene.play(400ms, blink);
  EXPECT_GE(scene.fidelity(), 45);
  EXPECT_LT(scene.fidelity(), 99);  // or there was nothing to refine
  scene.play(1200ms, blink);
  EXPECT_GT(scene.exact(), 0ms);
}

INSTANTIATE_TEST_SUITE_P(Blinks, Refinement20Mbit, testing::Values(530, 97));

}  // namespace
}  // namespace latentdesk
