#pragma once

#include "client/key_translator.h"

#include <array>
#include <optional>

namespace latentdesk {

/// What the viewer does itself on Ctrl+Alt+Shift and a letter; all other keys belong to the desktop.
enum class HotKey { full_screen, control, grab, secure_attention, help, statistics, screenshot, quit };

std::optional<HotKey> hot_key(const KeyStroke& key);

/// For the window.
inline constexpr std::array kHotKeyHelp = {
    "With Ctrl+Alt+Shift:",
    "F full screen   C take or give control   G all keys to the desktop, or not",
    "D send Ctrl+Alt+Del   S statistics   P picture   H help   Q quit",
};

}  // namespace latentdesk
