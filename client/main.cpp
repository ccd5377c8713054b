#include "client/options.h"
#include "client/viewer.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <variant>

using namespace latentdesk;

int main(int argc, char** argv) try {
  const auto parsed = parse_options(argc, argv);
  if (const auto* exit = std::get_if<ExitStatus>(&parsed)) return exit->value;
  const auto& options = std::get<ViewerOptions>(parsed);
  spdlog::set_default_logger(spdlog::stderr_color_mt("viewer"));
  spdlog::set_level(options.log_level);
  run_viewer(options);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "latentdesk-viewer: %s\n", error.what());
  return 1;
}
