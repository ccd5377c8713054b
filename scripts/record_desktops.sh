#!/usr/bin/env bash
# Records real programs on a virtual desktop, for scripts/compare_peers.sh; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly main_recordings="terminal web drag typing video viewport model"
readonly more_recordings="editor-dark files table drag-terminal listing web-subpixel caption menus windows video-cuts"

names=$main_recordings
out=$repository/build/recordings
seed=1

usage() {
  cat <<END
Records real programs on a virtual desktop of 1280x720, 40 to 60 frames each, as packed BGR0 for latentdesk-bench. Programs are
moved on step by step and a frame is taken when they have drawn, so the speed of the machine does not show.

usage: scripts/record_desktops.sh [--all] [--only NAME[,NAME...]] [--out FOLDER] [--seed N]

  --all          these, too: $more_recordings
  --only NAMES   of: $main_recordings
                 $more_recordings
  --out FOLDER   default: build/recordings
  --seed N       of texts, pages and motion (default: $seed)
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --all) names="$main_recordings $more_recordings" ;;
      --only | --out | --seed)
        [[ -n ${2:-} ]] || fail "$1 needs a value"
        set_option "$1" "$2"
        shift
        ;;
      *) fail "'$1' is no option; try --help" ;;
    esac
    shift
  done
}

set_option() {
  case $1 in
    --only) names=${2//,/ } ;;
    --out) out=$2 ;;
    --seed) seed=$2 ;;
  esac
  [[ $seed =~ ^[0-9]+$ ]] || fail "--seed needs a number"
}

check_names() {
  local name
  for name in $names; do
    [[ " $main_recordings $more_recordings " == *" $name "* ]] || fail "no recording '$name'; try --help"
  done
}

check_programs() {
  local program missing=()
  for program in Xvfb openbox xdotool feh xterm geany pcmanfm chromium mpv ffmpeg blender f3d xsetroot; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || fail "missing: ${missing[*]}; run scripts/install_dependencies.sh recordings"
}

main() {
  parse_options "$@"
  check_names
  check_programs
  # shellcheck disable=SC2086  # a list of words
  exec /usr/bin/python3 "$repository/scripts/peers/record_desktops.py" --out "$out" --seed "$seed" $names
}

main "$@"
