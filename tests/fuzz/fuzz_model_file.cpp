// Model files: the container, then the networks described in it.

#include "common/codec/model.h"

#include <cstddef>
#include <cstdint>

using namespace latentdesk;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const ModelFile file = ModelFile::parse({data, data + size}, "fuzz");
    parse_model(file);
  } catch (const ModelError&) {
  }
  return 0;
}
