#!/bin/sh
# install_cuda.sh REPOSITORY: installs what the GPU backend is built with from NVIDIA's packages for Debian 12, whose address is
# REPOSITORY. Does nothing where CUDA is in /usr/local/cuda.
set -eu

if [ -x /usr/local/cuda/bin/nvcc ]; then exit 0; fi
if [ -z "$1" ]; then
  echo "CUDA=ON needs --build-arg CUDA_REPOSITORY=ADDRESS (of NVIDIA's packages for Debian 12)," \
    "or a BUILD_BASE with CUDA 13 and cuDNN 9 in /usr/local/cuda" >&2
  exit 1
fi
apt-get update
apt-get install -y --no-install-recommends ca-certificates curl
curl -fsSL -o /tmp/keyring.deb "$1/cuda-keyring_1.1-1_all.deb"
dpkg -i /tmp/keyring.deb
rm /tmp/keyring.deb
apt-get update
apt-get install -y --no-install-recommends cuda-nvcc-13-0 cuda-cudart-dev-13-0 libcudnn9-dev-cuda-13
rm -rf /var/lib/apt/lists/*
