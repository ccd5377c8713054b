#include "server/options.h"

#include "common/codec/device_option.h"
#include "common/raw_video.h"
#include "server/token_source.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <map>
#include <stdexcept>

namespace latentdesk {

namespace {

constexpr const char* kDescription = R"(Streams an X11 desktop through a neural codec to latentdesk viewers.

Examples:
  latentdesk-server                                      the desktop of $DISPLAY, for viewers on this machine
  latentdesk-server --start-display 1920x1080 -- xfce4-session
                                                         a virtual desktop of its own, ended with the server
  latentdesk-server --source pattern                     a test picture
  latentdesk-server --probe                              what the codec runs on here, and how fast
  latentdesk-server --listen 0.0.0.0:8765 --tls-self-signed --token-auto
                                                         for viewers on other machines too
On this machine the same user needs no token; see docs/security.md for who may look.
A browser can be the viewer: it opens the address that the server listens on.
Or from another machine:  ssh -L 8765:127.0.0.1:8765 host   and then   latentdesk-viewer ws://127.0.0.1:8765)";

const std::map<std::string, spdlog::level::level_enum> kLogLevels = {{"trace", spdlog::level::trace},
                                                                     {"debug", spdlog::level::debug},
                                                                     {"info", spdlog::level::info},
                                                                     {"warn", spdlog::level::warn},
                                                                     {"error", spdlog::level::err}};

std::string check_size(const std::string& text) {
  try {
    parse_size(text);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string check_public_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  const bool is_address = colon != text.npos && colon > 0 && colon + 1 < text.size() &&
                          text.find_first_not_of("0123456789", colon + 1) == text.npos &&
                          text.find_first_of("/ ?#@") == text.npos;
  return is_address ? "" : "write HOST:PORT, such as gpu-box:8765";
}

CLI::Option* add_size(CLI::App& app, const std::string& name, Size& size, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name, [&size](const std::string& text) { size = parse_size(text); }, help)
      ->check(CLI::Validator(check_size, "WxH"))
      ->option_text("WxH");
}

void add_source_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--source", options.source,
                 "what is shown: x11 (default), raw:FILE (packed BGR0 frames) or pattern")
      ->option_text("SOURCE");
  app.add_option("--display", options.display, "X display to capture (default: $DISPLAY)")->option_text(":N");
  add_size(app, "--start-display", options.start_display, "start an Xvfb of this size and capture it");
  app.add_option("command", options.command, "after --: program to run on the started display")
      ->option_text("COMMAND ...");
  app.add_flag("--cursor,!--no-cursor", options.cursor, "viewers see the pointer (default)");
  add_size(app, "--size", options.size, "size of a raw or pattern source (default: 1280x720)");
  app.add_option("--fps", options.fps, "frame rate of a raw or pattern source (default: 30)")
      ->check(CLI::Range(0.1, 1000.0))
      ->option_text("N");
  app.add_flag("--loop", options.loop, "begin a raw source again at its end");
}

CLI::Option* add_switch(CLI::App& app, const std::string& name, bool& value, const std::string& help) {
  return app.add_option(name, value, help)->check(CLI::IsMember({"on", "off"}))->option_text("on|off");
}

void add_desk_options(CLI::App& app, ServerOptions& options) {
  app.add_flag("--view-only", options.view_only, "viewers look, and nobody types or points");
  add_switch(app, "--clipboard", options.clipboard,
             "what is copied goes to who has control, and back (default: on)");
  add_switch(app, "--resize", options.resize, "who has control may set the screen's size (default: on)");
}

void add_stream_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--listen", options.listen, "address and port for viewers (default: 127.0.0.1:8765)")
      ->option_text("HOST:PORT");
  app.add_option("--public-address", options.public_address,
                 "how viewers reach this port, for the addresses that are printed (default: as it listens)")
      ->check(CLI::Validator(check_public_address, "HOST:PORT"))
      ->option_text("HOST:PORT");
  app.add_option("--model", options.model, "model file (default: the one shipped)")->option_text("FILE");
  options.quality = kDefaultQuality;
  app.add_option("--quality", options.quality, "1 to 100; more is better and costs more (default: 55)")
      ->check(CLI::Range(1, 100))
      ->option_text("N");
  app.add_option("--web", options.web, "folder of the page for browsers (default: the one that was built)")
      ->check(CLI::ExistingDirectory)
      ->option_text("DIR");
  app.add_option("--max-bitrate", options.max_bitrate,
                 "at most so many Mbit/s to each viewer (default: what the connection takes)")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-fps", options.max_fps, "at most so many frames a second (default: 60)")
      ->check(CLI::Range(0.1, 1000.0))
      ->option_text("N");
  add_device_options(app, options.codec);
  app.add_option("--gpu-budget", options.gpu_budget,
                 "at most this share of the GPU's time, at fewer frames a second where needed (default: 100)")
      ->check(CLI::Range(1.0, 100.0))
      ->option_text("PERCENT");
  app.add_flag("--probe", options.probe, "describe the device, time the codec on it, and exit");
  app.add_option("--log-level", options.log_level, "trace, debug, info (default), warn or error")
      ->transform(CLI::CheckedTransformer(kLogLevels, CLI::ignore_case))
      ->option_text("LEVEL");
}

/// Where tokens come from; on the command line itself every user of the machine could read them.
struct TokenOptions {
  std::string file;
  std::string view_only_file;
  bool automatic = false;
};

std::string check_origin(const std::string& text) {
  const size_t scheme_end = text.find("://");
  const bool is_origin = scheme_end != text.npos && scheme_end > 0 && scheme_end + 3 < text.size() &&
                         text.find_first_of("/ ?#*", scheme_end + 3) == text.npos;
  return is_origin ? "" : "an origin is scheme://host or scheme://host:port, without a path";
}

void add_safety_options(CLI::App& app, ServerOptions& options, TokenOptions& tokens) {
  auto* certificate =
      app.add_option("--tls-cert", options.tls_cert, "certificate chain, PEM")->option_text("FILE");
  auto* key = app.add_option("--tls-key", options.tls_key, "its private key, PEM")->option_text("FILE");
  certificate->needs(key);
  key->needs(certificate);
  app.add_flag("--tls-self-signed", options.tls_self_signed,
               "make a certificate, or take the one made before; its fingerprint is in the log")
      ->excludes(certificate);
  auto* file = app.add_option("--token-file", tokens.file,
                              "file with the token that viewers must give; else $LATENTDESK_TOKEN")
                   ->option_text("FILE");
  app.add_option("--view-only-token-file", tokens.view_only_file,
                 "the same for viewers that only look; else $LATENTDESK_VIEW_TOKEN")
      ->option_text("FILE");
  app.add_flag("--token-auto", tokens.automatic, "make a token, and print the address with it")
      ->excludes(file);
  app.add_option("--allow-origin", options.allowed_origins,
                 "a web page (scheme://host:port) that may connect besides our own; repeatable")
      ->check(CLI::Validator(check_origin, "ORIGIN"))
      ->allow_extra_args(false)  // once for each
      ->option_text("ORIGIN");
  app.add_option("--max-viewers", options.max_viewers, "at most so many viewers (default: 50)")
      ->check(CLI::Range(size_t{1}, size_t{10000}))
      ->option_text("N");
  app.add_flag("--insecure", options.insecure,
               "do without TLS and token beyond this machine, though anybody may look then");
}

void read_tokens(const TokenOptions& tokens, ServerOptions& options) {
  options.token = take_token_variable("LATENTDESK_TOKEN");
  options.view_token = take_token_variable("LATENTDESK_VIEW_TOKEN");
  if (!tokens.file.empty()) options.token = read_token_file(tokens.file);
  if (!tokens.view_only_file.empty()) options.view_token = read_token_file(tokens.view_only_file);
  if (tokens.automatic) options.token = random_token();
  options.show_address = tokens.automatic;
}

void check(const ServerOptions& options) {
  const bool is_x11 = options.source == "x11";
  if (!is_x11 && options.source != "pattern" && raw_path(options.source).empty()) {
    throw std::runtime_error("--source " + options.source + ": choose x11, raw:FILE or pattern");
  }
  const bool starts_display = options.start_display.width > 0;
  if (starts_display && (!is_x11 || !options.display.empty())) {
    throw std::runtime_error("--start-display goes with --source x11 and without --display");
  }
  if (!options.command.empty() && !starts_display) {
    throw std::runtime_error("a command needs --start-display WxH to run on");
  }
}

}  // namespace

ServerOptions parse_server_options(int argc, char** argv) {
  ServerOptions options;
  CLI::App app{kDescription, "latentdesk-server"};
  add_source_options(app, options);
  add_desk_options(app, options);
  add_stream_options(app, options);
  TokenOptions tokens;
  add_safety_options(app, options, tokens);
  app.set_version_flag("--version", LATENTDESK_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  check(options);
  read_tokens(tokens, options);
  return options;
}

}  // namespace latentdesk
