#!/usr/bin/env bash
# Builds latentdesk, shows it a desktop, and looks at it through the codec. Leaves a picture and the statistics.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly binaries=$repository/build/release/bin
readonly statistics=$logs/demo-statistics.json
readonly desktop_size=1280x720
readonly seconds_to_paint=30

quality=55
seconds=10
out=demo.png

usage() {
  cat <<END
Installs what is missing, builds, streams a virtual desktop to a viewer without a window, and keeps the viewer's last picture.

usage: scripts/demo.sh [--quality 1..100] [--seconds S] [--out FILE.png]

  --quality N   more is better and costs more (default: $quality)
  --seconds S   how long to look (default: $seconds)
  --out FILE    where the picture goes (default: $out)
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quality | --seconds | --out) (($# > 1)) || fail "$1 needs a value" ;;&
      --quality) quality=$2 ;;
      --seconds) seconds=$2 ;;
      --out) out=$2 ;;
      *) fail "'$1' is no option; try --help" ;;
    esac
    shift 2
  done
  [[ -d $(dirname "$out") ]] || fail "--out $out: there is no such folder"
  out=$(realpath "$out")
}

build() {
  cmake --preset release
  cmake --build --preset release --target latentdesk-server latentdesk-viewer latentdesk-cpu latentdesk-bench
}

start_desktop() {
  rm -f "$ready"
  start_server "$binaries/latentdesk-server" "$logs/demo-server.log" --quality "$quality" --start-display "$desktop_size" \
    -- "$repository/scripts/demo_desktop.sh" "$ready"
}

wait_for_desktop() {
  local i
  for ((i = 0; i < 4 * seconds_to_paint; ++i)); do
    [[ ! -e $ready ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || fail "the server ended: $(tail -n 1 "$logs/demo-server.log")"
    sleep 0.25
  done
  fail "the desktop did not come up in $seconds_to_paint s; see $logs/demo-server.log"
}

watch() {
  "$binaries/latentdesk-viewer" --headless --seconds "$seconds" --stats-json "$statistics" --screenshot "$out" \
    "$server_url" 2>"$logs/demo-viewer.log" || fail "$(tail -n 1 "$logs/demo-viewer.log")"
}

say_what_next() {
  cat <<END

What the viewer saw:   $out
Statistics as JSON:    $statistics

To see such a desktop live, in a window, run these in two terminals:
  build/release/bin/latentdesk-server --start-display $desktop_size -- scripts/demo_desktop.sh
  build/release/bin/latentdesk-viewer
END
}

main() {
  parse_options "$@"
  cd "$repository"
  scratch=$(mktemp -d)
  ready=$scratch/ready
  trap 'stop_step; stop_server; rm -rf "$scratch"' EXIT
  step_count=2
  scripts/install_dependencies.sh build demo
  run_step demo-build "building" build
  ((step_status == 0)) || fail "the build failed"
  start_desktop
  run_step demo-desktop "starting a desktop of $desktop_size" wait_for_desktop
  ((step_status == 0)) || fail "the desktop did not start"
  echo "watching it for $seconds s, quality $quality"
  watch
  say_what_next
}

main "$@"
