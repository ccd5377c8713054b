#include "client/options.h"

#include "common/codec/device_option.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <cstring>
#include <map>

namespace latentdesk {

namespace {

constexpr const char* kExamples = R"(Examples:
  latentdesk-viewer                               the server on this machine
  latentdesk-viewer gpu-box                       port 8765 of gpu-box, encrypted
  latentdesk-viewer ws://[2001:db8::7]:9000       an IPv6 address and another port
  LATENTDESK_TOKEN=... latentdesk-viewer gpu-box  a server that asks for a token
  latentdesk-viewer --headless --frames 500 --stats-json run.json gpu-box
                                                  measure without a window
  latentdesk-viewer --headless --seconds 5 --screenshot now.png gpu-box
                                                  look once, from a script

Keys in the window: all go to the desktop but Ctrl+Alt+Shift and F full screen, C take or
give control, G grab all keys or not, D send Ctrl+Alt+Del, S statistics, P picture,
H help, Q quit.
Frames and statistics go to standard output, the log to standard error. The exit status
is 0 when pictures came, else 1.)";

const std::map<std::string, spdlog::level::level_enum> kLogLevels = {{"debug", spdlog::level::debug},
                                                                     {"info", spdlog::level::info},
                                                                     {"warn", spdlog::level::warn},
                                                                     {"error", spdlog::level::err}};

void declare_run(CLI::App& app, ViewerOptions& options) {
  auto* headless =
      app.add_flag("--headless", options.headless, "No window: receive, decode, print statistics");
  app.add_flag_callback(
         "--no-decode", [&options] { options.decode = false; },
         "Receive and count only; headers are still checked")
      ->needs(headless);
  app.add_flag("--baseline", options.baseline,
               "Ask for whole pictures, the baseline format, even of a server that knows better");
  app.add_option("--frames", options.max_frames, "Stop after N frames")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 53).description(""));
  app.add_option("--seconds", options.max_seconds, "Stop after S seconds")
      ->type_name("S")
      ->check(CLI::Range(0.01, 1e9).description(""));
  app.add_flag("--full-screen", options.full_screen, "Start in full screen (Ctrl+Alt+Shift+F changes it)")
      ->excludes(headless);
}

void declare_desk(CLI::App& app, DeskOptions& options) {
  auto* headless = app.get_option("--headless");
  auto* view_only =
      app.add_flag("--view-only", options.view_only, "Send no input: look only")->excludes(headless);
  app.add_flag("--grab-keyboard", options.grab_keyboard,
               "The window manager's keys go to the desktop too (Ctrl+Alt+Shift+G changes it)")
      ->excludes(headless)
      ->excludes(view_only);
  app.add_flag("--resize", options.resize,
               "Ask for a screen of the window's size; else the picture is scaled to the window")
      ->excludes(headless)
      ->excludes(view_only);
  app.add_option("--clipboard", options.clipboard,
                 "on: what is copied on one side can be pasted on the other")
      ->type_name("on|off")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, bool>{{"on", true}, {"off", false}}).description(""))
      ->default_str("on")
      ->excludes(headless);
}

void declare_trust(CLI::App& app, ViewerOptions& options) {
  const auto check = [](const std::string& text) {
    return parse_fingerprint(text) ? ""
                                   : "a fingerprint is 32 bytes in hexadecimal, as the server's log shows it";
  };
  app.add_option_function<std::string>(
         "--fingerprint",
         [&options](const std::string& text) { options.fingerprint = parse_fingerprint(text); },
         "Take only a server with this certificate (wss)")
      ->type_name("SHA256")
      ->check(CLI::Validator(check, ""));
}

/// Overwrites tokens in the address: other users see the command line of every process.
void hide_tokens(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* token = std::strstr(argv[i], "token=");
    if (token) std::memset(token + std::strlen("token="), 'x', std::strlen(token) - std::strlen("token="));
  }
}

void declare_output(CLI::App& app, ViewerOptions& options) {
  app.add_option("--stats-json", options.stats_file, "Write the statistics of the run to FILE")
      ->type_name("FILE");
  app.add_option("--screenshot", options.screenshot_file, "Write the last picture shown to FILE, as PNG")
      ->type_name("FILE.png");
  app.add_option("--log-level", options.log_level,
                 "debug, info, warn or error; debug prints a line for each frame")
      ->type_name("LEVEL")
      ->transform(CLI::CheckedTransformer(kLogLevels).description(""))
      ->default_str("info");
}

void declare_codec(CLI::App& app, ViewerOptions& options) {
  add_device_options(app, options.codec);
  app.add_option("--model", options.model_file,
                 "Model of the server's codec; else $LATENTDESK_MODEL or the installed one")
      ->type_name("FILE")
      ->check(CLI::Validator(CLI::ExistingFile).description(""));
}

}  // namespace

std::variant<ViewerOptions, ExitStatus> parse_options(int argc, char** argv) {
  ViewerOptions options;
  std::string url = "ws://127.0.0.1:8765";
  CLI::App app("Shows the desktop of a latentdesk server.", "latentdesk-viewer");
  app.footer(kExamples);
  app.set_version_flag("--version", "latentdesk-viewer " LATENTDESK_VERSION);
  app.add_option("URL", url, "Server: wss://host:port, ws://host:port, host:port or host")
      ->type_name("")
      ->capture_default_str();
  declare_run(app, options);
  declare_desk(app, options.desk);
  declare_trust(app, options);
  declare_output(app, options);
  declare_codec(app, options);
  try {
    app.parse(argc, argv);
    hide_tokens(argc, argv);
    options.url = parse_server_url(url);
  } catch (const CLI::ParseError& error) {
    return ExitStatus{app.exit(error) == 0 ? 0 : 1};
  } catch (const UrlError& error) {
    return ExitStatus{app.exit(CLI::ValidationError("URL", error.what())) == 0 ? 0 : 1};
  }
  if (const char* token = std::getenv("LATENTDESK_TOKEN")) options.token = token;
  return options;
}

}  // namespace latentdesk
