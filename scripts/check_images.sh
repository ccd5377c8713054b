#!/usr/bin/env bash
# Builds the images of docker/ and uses them as a person would; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/images/base.sh"
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/images/use.sh"

readonly folder=$repository/build/images run_folder=/run/latentdesk-images
readonly cuda_folder=/usr/local/cuda
readonly server_limit_mb=700 viewer_limit_mb=250

out=desktop.png
keep=
cuda=auto
cache=

usage() {
  cat <<END
Builds the images of server and viewer with buildah, and of the server with the GPU backend too; runs them with podman, and saves what the
viewer's container saw of the server's. Run it as root on Debian 12. Where no registry with Debian's image can be reached, debootstrap
makes the base.

usage: scripts/check_images.sh [--out FILE.png] [--no-cuda] [--keep] [--ccache DIR]

  --out FILE    where the picture goes (default: $out)
  --no-cuda     leave out the GPU's image, which needs CUDA 13 and cuDNN 9 in $cuda_folder (default: built where they are)
  --keep        leave base and images in build/images, for the next run
  --ccache DIR  a cache of compilations to use and to fill
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --no-cuda) cuda=no ;;
      --keep) keep=yes ;;
      --out | --ccache)
        (($# > 1)) || fail "$1 needs a value"
        if [[ $1 == --out ]]; then out=$2; else cache=$(realpath "$2"); fi
        shift
        ;;
      *) fail "'$1' is no option; try --help" ;;
    esac
    shift
  done
  [[ -d $(dirname "$out") ]] || fail "--out $out: there is no such folder"
  out=$(realpath "$out")
  if [[ $cuda == auto && ! -x $cuda_folder/bin/nvcc ]]; then cuda=no; fi
}

# build_image NAME DOCKERFILE OPTION...
build_image() {
  local options=(--isolation chroot --format docker --layers --pull-never --tag "$1" --file "$repository/docker/$2")
  # npm must trust what this machine trusts.
  if [[ $2 == server.Dockerfile && -n ${NODE_EXTRA_CA_CERTS:-} ]]; then
    options+=(--volume "$NODE_EXTRA_CA_CERTS:/run/authorities.pem:ro" --build-arg NODE_EXTRA_CA_CERTS=/run/authorities.pem)
  fi
  if [[ -n $cache ]]; then options+=(--volume "$cache:/ccache"); fi
  buildah build "${options[@]}" "${@:3}" "$repository"
}

build_cuda_image() {
  local base
  base=$(buildah from --pull-never "$base_image")
  tar --directory "$(dirname "$(realpath "$cuda_folder")")" --create "$(basename "$(realpath "$cuda_folder")")" |
    buildah_extract "$base" /usr/local
  buildah run --isolation chroot "$base" ln -sfn "$(basename "$(realpath "$cuda_folder")")" /usr/local/cuda
  buildah commit --rm "$base" latentdesk-cuda-base
  build_image latentdesk-server-cuda server.Dockerfile --build-arg BUILD_BASE=localhost/latentdesk-cuda-base --build-arg CUDA=ON
  buildah rmi --force latentdesk-cuda-base
}

# check_size IMAGE LIMIT_MB
check_size() {
  local bytes
  bytes=$(podman image inspect --format '{{.Size}}' "$1")
  measured "$1: $((bytes / 1000000)) MB"
  (($2 == 0 || bytes <= $2 * 1000000)) || fail "$1 is larger than $2 MB"
}

clean_up() {
  stop_step
  end_containers
  if [[ -z $keep ]]; then
    buildah rm --all >/dev/null 2>&1 || true
    podman rmi --all --force >/dev/null 2>&1 || true
    rm -rf "$folder" "$run_folder"
  fi
}

steps() {
  local name
  for name in "$@"; do
    run_step "images-$name" "$name" "step_$name"
    if ((step_status == 0)); then sed -n 's/^measured: /      /p' "$logs/images-$name.log"; else fail "$name failed"; fi
  done
}

step_base() { make_base; }
step_viewer() { build_image latentdesk-viewer viewer.Dockerfile; }
step_server() { build_image latentdesk-server server.Dockerfile; }
step_cuda() { build_cuda_image; }

main() {
  parse_options "$@"
  ((EUID == 0)) || fail "run this as root: the base is made by debootstrap"
  cd "$repository"
  scripts/install_dependencies.sh images
  mkdir -p "$folder"
  trap clean_up EXIT
  use_own_storage
  local chosen=(base viewer server sizes serving viewing access crash ending display command restart browser)
  if [[ $cuda != no ]]; then chosen+=(cuda without_gpu); fi
  step_count=${#chosen[@]}
  steps "${chosen[@]}"
  echo "what the viewer's container saw: $out"
}

main "$@"
