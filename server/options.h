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
  std::string public_address;                ///< `host:port` as viewers reach it; empty for where we listen
  std::string tls_cert, tls_key;             ///< PEM files; empty for none
  bool tls_self_signed = false;              ///< make a certificate of our own, or take the one made before
  std::string token;                         ///< who gives it may do everything; empty for none; never logged
  std::string view_token;                    ///< who gives it may look; empty for none; never logged
  bool show_address = false;                 ///< print the address with the token in it
  std::vector<std::string> allowed_origins;  ///< web pages besides our own, `scheme://host[:port]`
  size_t max_viewers = 50;
  std::string web;        ///< folder of the page for browsers; empty for the one that was built or installed
  bool insecure = false;  ///< do without TLS and tokens, though anybody may look
  CodecOptions codec;
  double gpu_budget = 100;  ///< percent of a GPU's time
  bool probe = false;       ///< describe and time the backend instead of serving
  std::string model;        ///< path; empty for the one shipped
  int quality = 0;
  double max_fps = 60;
  double max_bitrate = 0;  ///< Mbit/s to each viewer of latentdesk.2; 0: no limit
  Size size{1280, 720};    ///< of sources raw and pattern
  double fps = 30;         ///< of sources raw and pattern
  bool loop = false;       ///< source raw begins again at its end
  bool cursor = true;      ///< viewers see the pointer
  bool view_only = false;  ///< nobody may type or point
  bool clipboard = true;   ///< for who has control
  bool resize = true;      ///< who has control may set the screen's size
  spdlog::level::level_enum log_level = spdlog::level::info;
};

inline constexpr int kDefaultQuality = 55;

/// From the command line, and the tokens from LATENTDESK_TOKEN and LATENTDESK_VIEW_TOKEN, which are then
/// removed from the environment. Exits for --help, --version and a wrong command line, with a message; throws
/// std::runtime_error for options that contradict each other.
ServerOptions parse_server_options(int argc, char** argv);

}  // namespace latentdesk
