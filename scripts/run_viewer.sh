#!/usr/bin/env bash
# Runs the viewer's image, and builds it first where there is none; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly engine=${CONTAINER_ENGINE:-docker} image=latentdesk-viewer
build=
window=

usage() {
  cat <<END
Runs latentdesk-viewer in a container, without a window unless asked for; prints statistics. Ctrl-C ends it.

usage: scripts/run_viewer.sh [OPTION...] [OPTION OF latentdesk-viewer...] [ws://HOST:PORT | wss://HOST:PORT]

  --window  in a window on the X display that \$DISPLAY names
  --build   build the image even if it is there

LATENTDESK_TOKEN is handed on. CONTAINER_ENGINE may be podman instead of docker.
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --window)
        window=${DISPLAY:-}
        [[ -n $window ]] || fail "--window needs \$DISPLAY"
        ;;
      --build) build=yes ;;
      *) break ;;
    esac
    shift
  done
  viewer_arguments=("$@")
}

ensure_image() {
  if [[ -z $build ]] && "$engine" image inspect "$image" >/dev/null 2>&1; then return; fi
  "$engine" build -t "$image" -f "$repository/docker/viewer.Dockerfile" "$repository"
}

# The host's name, which is in the authority file, is that of the host's network.
share_display() {
  options+=(-e DISPLAY -v /tmp/.X11-unix:/tmp/.X11-unix)
  local authority=${XAUTHORITY:-$HOME/.Xauthority}
  if [[ -e $authority ]]; then options+=(-e XAUTHORITY=/tmp/authority -v "$authority:/tmp/authority:ro"); fi
}

main() {
  parse_options "$@"
  command -v "$engine" >/dev/null || fail "there is no $engine"
  ensure_image
  # As the user who calls, whom a server of this machine may know, and with the same memory of certificates as the native viewer.
  local memory=${XDG_DATA_HOME:-$HOME/.local/share}/latentdesk
  mkdir -p "$memory"
  mapfile -t options < <(own_user_options "$engine")
  options+=(--rm --network host -e LATENTDESK_TOKEN -e XDG_DATA_HOME=/data -v "$memory:/data/latentdesk")
  if [[ -t 0 && -t 1 ]]; then options+=(-it); fi
  if [[ -n $window ]]; then share_display; fi
  exec "$engine" run "${options[@]}" "$image" "${viewer_arguments[@]}"
}

main "$@"
