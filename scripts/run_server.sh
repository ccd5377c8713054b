#!/usr/bin/env bash
# Runs the server's image, and builds it first where there is none; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly engine=${CONTAINER_ENGINE:-docker} image=latentdesk-server
port=8765
bind=127.0.0.1
host=localhost
gpu=auto
build=
display=

usage() {
  cat <<END
Runs latentdesk-server in a container, with a desktop; prints an address with its token for a browser or a viewer. Ctrl-C ends it.

usage: scripts/run_server.sh [OPTION...] [OPTION OF latentdesk-server...] [-- COMMAND...]

  --port N         port on this machine (default: $port)
  --anywhere       for viewers on other machines too (default: on this one)
  --gpu, --no-gpu  with or without the GPUs of this machine (default: with, where there is NVIDIA's driver)
  --share-display  the X display that \$DISPLAY names instead of a desktop of the container's own
  --build          build the image even if it is there; with a GPU, CUDA_REPOSITORY must hold the address of NVIDIA's packages for
                   Debian 12

LATENTDESK_TOKEN, LATENTDESK_INSECURE and LATENTDESK_SIZE are handed on. CONTAINER_ENGINE may be podman instead of docker.
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --port)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--port needs a number"
        port=$2
        shift
        ;;
      --anywhere) bind=0.0.0.0 host=$(hostname) ;;
      --gpu) gpu=yes ;;
      --no-gpu) gpu=no ;;
      --share-display)
        display=${DISPLAY:-}
        [[ -n $display ]] || fail "--share-display needs \$DISPLAY"
        ;;
      --build) build=yes ;;
      *) break ;;
    esac
    shift
  done
  server_arguments=("$@")
}

choose_gpu() {
  [[ $gpu == auto ]] || return 0
  if [[ -e /proc/driver/nvidia/version ]]; then gpu=yes; else gpu=no; fi
  echo "GPU: $gpu (--gpu and --no-gpu decide)"
}

ensure_image() {
  if [[ -z $build ]] && "$engine" image inspect "$image" >/dev/null 2>&1; then return; fi
  local options=()
  if [[ $gpu == yes ]]; then
    [[ -n ${CUDA_REPOSITORY:-} ]] ||
      fail "to build with a GPU, set CUDA_REPOSITORY to the address of NVIDIA's packages for Debian 12; or say --no-gpu"
    options=(--build-arg CUDA=ON --build-arg "CUDA_REPOSITORY=$CUDA_REPOSITORY")
  fi
  "$engine" build -t "$image" -f "$repository/docker/server.Dockerfile" "${options[@]}" "$repository"
}

# The container's user must be the display's, and its host's name the one in the authority file.
share_display() {
  local user
  mapfile -t user < <(own_user_options "$engine")
  options+=("${user[@]}" -e DISPLAY -v /tmp/.X11-unix:/tmp/.X11-unix --hostname "$(hostname)")
  local authority=${XAUTHORITY:-$HOME/.Xauthority}
  if [[ -e $authority ]]; then options+=(-e XAUTHORITY=/tmp/authority -v "$authority:/tmp/authority:ro"); fi
}

main() {
  parse_options "$@"
  command -v "$engine" >/dev/null || fail "there is no $engine"
  choose_gpu
  ensure_image
  options=(--rm -p "$bind:$port:8765" -e "LATENTDESK_ADDRESS=$host:$port" -e LATENTDESK_TOKEN -e LATENTDESK_INSECURE -e LATENTDESK_SIZE)
  # The certificate stays the same from run to run.
  options+=(-v latentdesk-server:/home/desktop/.local/state)
  if [[ -t 0 && -t 1 ]]; then options+=(-it); fi
  if [[ $gpu == yes && $engine == podman ]]; then
    options+=(--device nvidia.com/gpu=all)
  elif [[ $gpu == yes ]]; then
    options+=(--gpus all)
  fi
  if [[ -n $display ]]; then share_display; fi
  exec "$engine" run "${options[@]}" "$image" "${server_arguments[@]}"
}

main "$@"
