#!/usr/bin/env bash
# Installs what is missing from the distribution's packages: install_dependencies.sh [PURPOSE...]
set -euo pipefail

# One line for each purpose; NAME|OTHER is the first that the distribution has (Debian 12, or a later Debian or Ubuntu).
declare -rA packages=(
  [build]="g++ cmake ninja-build pkg-config libboost1.81-dev|libboost1.83-dev libssl-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
    libspdlog-dev libdnnl-dev libx11-dev libx11-xcb-dev libxcb-shm0-dev libxext-dev libxdamage-dev libxfixes-dev libxtst-dev libxrandr-dev libxi-dev libxau-dev
    libxkbcommon-dev
    libsdl2-dev libsdl2-gfx-dev libpng-dev libgtest-dev"
  [test]="clang libclang-rt-14-dev|libclang-rt-19-dev|libclang-rt-18-dev clang-format clang-tidy shellcheck xvfb xauth
    xterm xclip xdotool openbox mousepad x11-xkb-utils procps x11-utils x11-xserver-utils iproute2 iptables python3-torch python3-numpy python3-onnx
    python3-websockets python3-pil ffmpeg"
  [models]="python3-torch python3-numpy python3-onnx python3-pil python3-matplotlib ffmpeg tesseract-ocr tesseract-ocr-eng
    fonts-noto-core"
  [demo]="xvfb openbox tint2 feh desktop-base xterm fonts-dejavu-core geany xscreensaver-gl libgl1-mesa-dri x11-utils
    x11-xserver-utils"
  [recordings]="xvfb openbox x11-xserver-utils xdotool feh xterm geany pcmanfm papirus-icon-theme chromium mpv ffmpeg
    blender f3d glmark2-data libgl1-mesa-dri python3-numpy python3-pil mate-backgrounds lomiri-wallpapers-16.04
    lomiri-wallpapers-20.04 ukui-wallpapers gnome-backgrounds palapeli-data perl-modules-5.36|perl-modules-5.40|perl-modules-5.38 libstdc++-12-dev fonts-dejavu
    fonts-liberation fonts-firacode fonts-noto-core fonts-noto-cjk"
  [web]="nodejs npm clang lld chromium xvfb xterm xdotool xclip x11-utils ffmpeg fonts-dejavu-core"
  [images]="buildah podman runc debootstrap xvfb"
  [peers]="ffmpeg tigervnc-standalone-server tigervnc-viewer xvfb xdotool openbox libx11-6 python3-numpy python3-pil"
)
readonly purposes="build test models demo recordings web images peers"

usage() {
  cat <<END
Installs what is missing from the packages of Debian 12 (or a later Debian or Ubuntu).

usage: scripts/install_dependencies.sh [PURPOSE...]

  build       compiler and libraries of server, viewer and bench (this alone when no purpose is named)
  test        what scripts/test.sh needs besides
  models      what trains and exports the models
  demo        the programs that scripts/demo.sh shows
  recordings  the programs that scripts/record_desktops.sh records
  web         what builds the page for browsers, and tests it
  images      what scripts/check_images.sh builds and runs images with
  peers       what scripts/compare_peers.sh compares with
END
}

fail() {
  printf 'install_dependencies.sh: %s\n' "$*" >&2
  exit 1
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The names of a purpose that are not installed, one a line; of alternatives, all of them in one line.
missing_of() {
  local choice name
  for choice in ${packages[$1]}; do
    for name in ${choice//|/ }; do
      if is_installed "$name"; then continue 2; fi
    done
    echo "$choice"
  done
}

# The first of the alternatives that the package lists have.
available() {
  local name
  for name in ${1//|/ }; do
    # Not grep -q: it would end early, and apt-cache fail of the broken pipe.
    if apt-cache show --no-all-versions "$name" 2>/dev/null | grep '^Package:' >/dev/null; then
      echo "$name"
      return
    fi
  done
  fail "no package ${1//|/ or } in this distribution; Debian 12 has it"
}

as_root() {
  if ((EUID == 0)); then env DEBIAN_FRONTEND=noninteractive "$@"; else sudo DEBIAN_FRONTEND=noninteractive "$@"; fi
}

# quietly COMMAND...: shows what it prints only when it fails.
quietly() {
  local output
  output=$(as_root "$@" 2>&1 </dev/null) || {
    printf 'failed\n%s\n' "$(tail -n 20 <<<"$output")" >&2
    fail "'$*' failed; is the network there, and does no other apt run?"
  }
}

install_all() {
  local choice name names=()
  printf 'installing %d packages for %s ... ' $# "$wanted"
  SECONDS=0
  quietly apt-get update -qq
  for choice in "$@"; do
    name=$(available "$choice")
    names+=("$name")
  done
  quietly apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${names[@]}"
  printf '%d s\n' "$SECONDS"
}

check_system() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "this is no Debian or Ubuntu (no apt-get); install the packages named in this script by your own means"
  fi
}

check_rights() {
  ((EUID == 0)) || command -v sudo >/dev/null ||
    fail "run this as root, since there is no sudo: apt-get install ${*//|*/}"
}

main() {
  local purpose missing=()
  for purpose in "$@"; do
    case $purpose in
      -h | --help) usage; exit ;;
      build | test | models | demo | recordings | web | images | peers) ;;
      *) fail "'$purpose' is none of: $purposes" ;;
    esac
  done
  check_system
  wanted=${*:-build}
  for purpose in $wanted; do
    mapfile -t -O "${#missing[@]}" missing < <(missing_of "$purpose")
  done
  if ((${#missing[@]} == 0)); then
    echo "nothing to install for $wanted"
    return
  fi
  check_rights "${missing[@]}"
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  install_all "${missing[@]}"
}

main "$@"
