#include "common/codec/model_path.h"

#include "common/model_file.h"

#include <cstdlib>
#include <filesystem>

namespace latentdesk {

namespace fs = std::filesystem;

std::string default_model_path() {
  if (const char* path = std::getenv("LATENTDESK_MODEL")) return path;
  const char* name = "latentdesk-lite.safetensors";
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path candidates[] = {program / name, program / "../share/latentdesk" / name,
                                 fs::path(LATENTDESK_MODELS_DIR) / name};
  std::string looked;
  for (const fs::path& candidate : candidates) {
    if (fs::exists(candidate)) return candidate.lexically_normal();
    looked += "\n  " + candidate.lexically_normal().string();
  }
  throw ModelError("no model found; name one with --model. Looked at:" + looked);
}

}  // namespace latentdesk
