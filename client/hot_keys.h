#pragma once

#include "client/key_translator.h"

#include <optional>

namespace latentdesk {

/// What the viewer does itself on Ctrl+Alt+Shift and a letter; all other keys belong to the desktop.
enum class HotKey { full_screen, control, grab, secure_attention, help, statistics, screenshot, quit };

std::optional<HotKey> hot_key(const KeyStroke& key);

/// For the window, and for --help.
inline constexpr const char* kHotKeyHelp =
    "Ctrl+Alt+Shift+ F full screen, C take or give control, G grab all keys, D send Ctrl+Alt+Del, S "
    "statistics, "
    "P screenshot, H help, Q quit";

}  // namespace latentdesk
