#!/bin/sh
# copy_cudnn.sh FOLDER: what the GPU backend loads at run time. CUDA's own runtime is linked into it. Convolutions need neither cuDNN's
# library of attention and recurrence (adv) nor cuBLAS and NVRTC, which cuDNN opens for matrix products and for fusions that it compiles.
set -eu

cudnn=$(sed -n 's/^CUDNN_LIBRARY:FILEPATH=//p' build/release/CMakeCache.txt)
for name in '' _graph _ops _cnn _heuristic _engines_precompiled _engines_runtime_compiled; do
  cp --dereference "$(dirname "$cudnn")/libcudnn$name.so.9" "$1"
done
