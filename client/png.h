#pragma once

#include "common/image.h"

#include <string>

namespace latentdesk {

/// Writes `image` as an RGB PNG. Throws std::runtime_error that names the file.
void write_png(const std::string& path, ImageView image);

}  // namespace latentdesk
