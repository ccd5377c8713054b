#include "server/options.h"
#include "server/probe.h"
#include "server/server.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  try {
    const latentdesk::ServerOptions options = latentdesk::parse_server_options(argc, argv);
    spdlog::set_level(options.log_level);
    spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    if (options.probe) {
      latentdesk::run_probe(options);
    } else {
      latentdesk::Server(options).run();
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "latentdesk-server: %s\n", error.what());
    return 1;
  }
}
