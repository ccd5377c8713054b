#!/usr/bin/env bash
# Measures latentdesk beside video codecs and TigerVNC on the same recordings; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<END
Runs recordings through latentdesk and its peers, and prints one Markdown table: bytes of the first frame, of those after it, RGB
PSNR of what a viewer shows at each frame, and ratios to x264 (ultrafast, zerolatency, 4:4:4, CRF 23), which is always measured.

usage: scripts/compare_peers.sh [OPTION...]

  --recordings FOLDER  of NAME.raw, packed BGR0 (default: build/recordings, from scripts/record_desktops.sh)
  --only NAMES         these recordings only, separated by commas
  --peers FAMILIES     separated by commas (default: all):
      x264             ultrafast, zerolatency; 4:4:4 and 4:2:0; CRF 18, 23, 28
      av1              libaom, real time, cpu-used 8, screen tools, 4:4:4; CRF 20, 32
      mjpeg            4:4:4
      tigervnc         Xtigervnc and its viewer: Tight, quality 8; the server sees the pictures of the recording, each as soon as
                       the viewer shows the one before; 1280x720 only
      plain            latentdesk-bench, whole frames
      stream           latentdesk-bench --stream --refine off, at the lowest quality whose PSNR is at least that of x264 4:4:4 CRF 23
  --size WxH           of the recordings (default: 1280x720)
  --bench PROGRAM      default: build/release/bin/latentdesk-bench
  --json FILE          write the figures there
  --fresh              measure again what build/peers keeps from earlier runs
END
}

main() {
  local option
  for option in "$@"; do
    case $option in
      -h | --help) usage; exit ;;
    esac
  done
  exec /usr/bin/python3 "$repository/scripts/peers/compare_peers.py" --recordings "$repository/build/recordings" \
    --cache "$repository/build/peers" --bench "$repository/build/release/bin/latentdesk-bench" "$@"
}

main "$@"
