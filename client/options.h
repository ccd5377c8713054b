#pragma once

#include "client/url.h"
#include "common/codec/codec.h"
#include "common/net/tls.h"

#include <spdlog/common.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace latentdesk {

/// How the desktop is used, beyond looking at it.
struct DeskOptions {
  bool view_only = false;      ///< send no input, and say so to the server
  bool grab_keyboard = false;  ///< the window manager's keys go to the desktop too
  bool clipboard = true;
  bool resize = false;  ///< ask for a screen of the window's size
};

/// What the command line and the environment ask of the viewer.
struct ViewerOptions {
  ServerUrl url;
  std::string token;                  ///< from LATENTDESK_TOKEN; never logged
  std::optional<Sha256> fingerprint;  ///< the only certificate to be taken
  bool headless = false;
  bool full_screen = false;
  DeskOptions desk;
  bool decode = true;
  bool baseline = false;  ///< speak the baseline alone, though the server may know better
  std::optional<uint64_t> max_frames;
  std::optional<double> max_seconds;
  std::string stats_file;       ///< empty: none
  std::string screenshot_file;  ///< empty: none
  std::string model_file;       ///< empty: default_model_path()
  CodecOptions codec;
  spdlog::level::level_enum log_level = spdlog::level::info;
};

/// The command line was answered (--help, --version) or is wrong, which has been said; the program ends with
/// this status.
struct ExitStatus {
  int value = 0;
};

/// A token in the address is made unreadable in `argv`, which other users can see.
std::variant<ViewerOptions, ExitStatus> parse_options(int argc, char** argv);

}  // namespace latentdesk
