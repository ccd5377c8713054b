// Model files: the container, then the networks described in it.

#include <cstddef>
#include <cstdint>

#include "common/codec/model.h"

using namespace latentdesk;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const ModelFile file = ModelFile::parse({data, data + size}, "fuzz");
    parse_model(file);
  } catch (const ModelError&) {
  }
  return 0;
}
