#pragma once

#include "common/codec/codec.h"
#include "common/image.h"

#include <spdlog/common.h>

#include <string>
#include <vector>

namespace latentdesk {

struct ServerOptions {
  std::string source = "x11";
  std::string display;               ///< of source x11; empty for $DISPLAY
  Size start_display;                ///< of an Xvfb of our own; zero for none
  std::vector<std::string> command;  ///< to run on that display
  std::string listen = "127.0.0.1:8765";
  bool insecure = false;  ///< listen beyond loopback, though anybody may look
  CodecOptions codec;
  double gpu_budget = 100;  ///< percent of a GPU's time
  bool probe = false;       ///< describe and time the backend instead of serving
  std::string model;        ///< path; empty for the one shipped
  int quality = 0;
  double max_fps = 30;
  Size size{1280, 720};  ///< of sources raw and pattern
  double fps = 30;       ///< of sources raw and pattern
  bool loop = false;     ///< source raw begins again at its end
  bool cursor = true;    ///< draw the pointer into the picture
  spdlog::level::level_enum log_level = spdlog::level::info;
};

inline constexpr int kDefaultQuality = 55;

/// Exits for --help, --version and a wrong command line, with a message; throws std::runtime_error for
/// options that contradict each other.
ServerOptions parse_server_options(int argc, char** argv);

}  // namespace latentdesk
