#!/bin/bash
# The desktop of the server's image: latentdesk-desktop [terminal|gears|menu]; without one of these, the whole desktop.
set -euo pipefail

readonly size=${LATENTDESK_SIZE:-1920x1080}
# A calm palette in the manner of today's terminals, for the plain and for the bright colours.
readonly colours=(3b4252 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0 e5e9f0)

# terminal GEOMETRY [COMMAND...]
terminal() {
  local i options=()
  for i in {0..7}; do options+=(-xrm "*color$i: #${colours[i]}" -xrm "*color$((i + 8)): #${colours[i]}"); done
  xterm -u8 -fa 'DejaVu Sans Mono' -fs 11 -fg '#d8dee9' -bg '#1b2028' "${options[@]}" -T Terminal -geometry "$1" "${@:2}"
}

# One drawing thread, and a rest of 66 ms after each picture: software that draws in 3D would else take all the processors.
gears() {
  LP_NUM_THREADS=1 /usr/libexec/xscreensaver/geodesicgears -no-wander -window -title '3D gears' -delay 66000 -geometry "$1"
}

# What jwm adds to its menu.
menu() {
  echo '<JWM>'
  if command -v chromium >/dev/null; then echo '<Program label="Chromium">chromium</Program>'; fi
  echo '</JWM>'
}

greet() {
  printf '\033[1;36mlatentdesk\033[0m\n\n'
  latentdesk-server --version | sed 's/^/version /'
  sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release
  printf '\nThe menu is at the lower left. Own programs instead of this desktop:\n  docker run ... latentdesk-server -- COMMAND\n\n'
  exec bash
}

desktop() {
  local width=${size%x*}
  terminal 84x30+24+24 -e latentdesk-desktop greet &
  gears "$((width * 35 / 100))x$((${size#*x} / 2))-24+24" &
  # A window manager that crashes comes back; the windows stay.
  while true; do
    jwm -f /etc/latentdesk/jwmrc || echo "the window manager ended with status $?" >&2
    sleep 0.5
  done
}

case ${1:-} in
  '') desktop ;;
  terminal) terminal 84x30 ;;
  gears) gears 640x480 ;;
  menu | greet) "$1" ;;
  *)
    echo "latentdesk-desktop: '$1' is none of: terminal, gears, menu" >&2
    exit 1
    ;;
esac
