#include "client/clipboard.h"

#include "common/stream/messages.h"

#include <SDL2/SDL_clipboard.h>
#include <SDL2/SDL_stdinc.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace latentdesk {

namespace {

struct SdlFree {
  void operator()(char* text) const { SDL_free(text); }
};

std::string local_text() {
  const std::unique_ptr<char, SdlFree> text(SDL_GetClipboardText());
  return text ? text.get() : "";
}

}  // namespace

void ClipboardSync::take_remote(std::string text) {
  text.resize(std::min(text.size(), text.find('\0')));  // SDL's text ends there
  if (text == shared_) return;
  shared_ = std::move(text);
  SDL_SetClipboardText(shared_.c_str());
}

std::optional<std::string> ClipboardSync::take_local() {
  if (!std::exchange(is_new_, false)) return std::nullopt;
  std::string text = local_text();
  if (text.empty() || text == shared_ || !is_utf8(text)) return std::nullopt;
  shared_ = std::move(text);
  if (shared_.size() > kMaxClipboardBytes)
    throw std::runtime_error("What was copied is too much to send (1 MiB)");
  return shared_;
}

}  // namespace latentdesk
