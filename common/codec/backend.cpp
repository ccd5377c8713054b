#include "common/codec/backend.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <map>
#include <stdexcept>

namespace latentdesk {

namespace {

namespace fs = std::filesystem;

fs::path module_path(const std::string& name) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  const std::string file = "latentdesk-" + name + ".so";
  for (const fs::path& candidate : {program / file, program / "../lib/latentdesk" / file}) {
    if (fs::exists(candidate)) return candidate;
  }
  throw std::runtime_error("this build has no " + name + " backend (" + file + " is not beside the program)");
}

const BackendInterface* open_module(const std::string& name) {
  // OpenMP's threads must sleep between layers. By default they spin, and on a machine whose cores are all in
  // use that costs a time slice of several milliseconds at the end of every layer. Read by OpenMP when it is
  // loaded, with the module.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  void* module =
      dlopen(module_path(name).c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: its code stays in use
  const void* symbol = module ? dlsym(module, kBackendSymbol) : nullptr;
  if (!symbol) throw std::runtime_error("the " + name + " backend cannot be loaded: " + dlerror());
  return static_cast<const BackendInterface*>(symbol);
}

}  // namespace

const BackendInterface& load_backend(const std::string& name) {
  static std::map<std::string, const BackendInterface*> loaded;
  auto found = loaded.find(name);
  if (found == loaded.end()) found = loaded.emplace(name, open_module(name)).first;
  return *found->second;
}

}  // namespace latentdesk
