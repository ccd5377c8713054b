#!/bin/bash
# Starts the server as the container's surroundings ask. Arguments: options of latentdesk-server, then -- COMMAND.
#
#   LATENTDESK_TOKEN       the token that viewers must give; without it one is made and printed
#   LATENTDESK_INSECURE=1  neither TLS nor token
#   LATENTDESK_ADDRESS     host and port at which viewers reach the container, for the address that is printed (localhost:8765)
#   LATENTDESK_LISTEN      where to listen inside (0.0.0.0:8765)
#   LATENTDESK_SIZE        of the desktop (1920x1080)
#   DISPLAY                an X display that was shared in: it is shown instead of a desktop of the container's own
set -euo pipefail

arguments=("$@")
options=()

# given NAME...: one of these options stands before `--`.
given() {
  local argument name
  for argument in "${arguments[@]}"; do
    if [[ $argument == -- ]]; then return 1; fi
    for name in "$@"; do
      if [[ $argument == "$name" || $argument == "$name="* ]]; then return 0; fi
    done
  done
  return 1
}

has_command() {
  local argument
  for argument in "${arguments[@]}"; do
    if [[ $argument == -- ]]; then return 0; fi
  done
  return 1
}

add_address() {
  given --listen || options+=(--listen "${LATENTDESK_LISTEN:-0.0.0.0:8765}")
  given --public-address || options+=(--public-address "${LATENTDESK_ADDRESS:-localhost:8765}")
}

add_access() {
  if [[ ${LATENTDESK_INSECURE:-} == 1 ]]; then options+=(--insecure); fi
  if [[ ${LATENTDESK_INSECURE:-} == 1 ]] || given --insecure; then return; fi
  given --tls-self-signed --tls-cert || options+=(--tls-self-signed)
  if [[ -z ${LATENTDESK_TOKEN:-} ]]; then given --token-auto --token-file || options+=(--token-auto); fi
}

add_desktop() {
  if given --source --display || { [[ -n ${DISPLAY:-} ]] && ! given --start-display; }; then return; fi
  given --start-display || options+=(--start-display "${LATENTDESK_SIZE:-1920x1080}")
  has_command || arguments+=(-- latentdesk-desktop)
}

# With `docker run --user` the home belongs to another.
if [[ ! -w ${HOME:-/nowhere} ]]; then
  HOME=$(mktemp -d)
  export HOME
fi
add_address
add_access
add_desktop
exec latentdesk-server "${options[@]}" "${arguments[@]}"
