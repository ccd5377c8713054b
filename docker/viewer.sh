#!/bin/bash
# Starts the viewer: in a window where a display has been shared in, else without. Arguments: those of latentdesk-viewer.
set -euo pipefail

if [[ ! -w ${HOME:-/nowhere} ]]; then
  HOME=$(mktemp -d)  # with `docker run --user` the home belongs to another
  export HOME
fi
[[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] || set -- --headless "$@"
exec latentdesk-viewer "$@"
