#pragma once

#include "server/options.h"

#include <string>

namespace latentdesk {

/// Opens the backend for real, describes it and times both ends of the codec on it at 720p, 1080p and 4K;
/// prints to stdout. Throws std::runtime_error when the device cannot be had.
void run_probe(const ServerOptions& options);

}  // namespace latentdesk
