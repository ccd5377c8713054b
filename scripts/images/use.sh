# shellcheck shell=bash
# Sourced by check_images.sh: the steps that use the images. Each runs in a shell of its own, so what they hand on lies in files.
# shellcheck disable=SC2154  # check_images.sh, which sources this file, sets them

readonly ready_limit_ms=3000 stop_limit_ms=2000

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# measured TEXT: for whoever reads what check_images.sh prints.
measured() { echo "measured: $*"; }

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_until SECONDS COMMAND...
wait_until() {
  local i
  for ((i = 0; i < 20 * $1; ++i)); do
    if "${@:2}" 2>/dev/null; then return 0; fi
    sleep 0.05
  done
  fail "after $1 s still not: ${*:2}"
}

healthy() { LATENTDESK_LISTEN=127.0.0.1:$1 "$repository/docker/health.sh"; }

# The only running container of an image.
container_of() { podman ps --quiet --no-trunc --filter "ancestor=localhost/$1"; }

end_containers() {
  local containers
  mapfile -t containers < <(podman ps --all --quiet 2>/dev/null)
  if ((${#containers[@]} > 0)); then podman rm --force --time 0 "${containers[@]}" >/dev/null 2>&1 || true; fi
}

# start_container LOG SCRIPT_OPTION...: by scripts/run_server.sh, on a free port; waits until it serves. Leaves port and container.
start_container() {
  port=$(free_port)
  echo "$port" >"$folder/port"
  CONTAINER_ENGINE=podman setsid scripts/run_server.sh --no-gpu --port "$port" "${@:2}" >"$1" 2>&1 </dev/null &
  wait_until 60 healthy "$port"
  ready=$(now_ms)
  container=$(container_of latentdesk-server)
}

# stop_container CONTAINER: as `docker stop` does; its exit status must be 0. Leaves stop_ms.
stop_container() {
  local status started
  podman wait "$1" >"$folder/status" &
  status=$!
  started=$(now_ms)
  podman stop --time 10 "$1"
  stop_ms=$(($(now_ms) - started))
  wait "$status"
  [[ $(<"$folder/status") == 0 ]] || fail "the container ended with status $(<"$folder/status")"
}

# view NAME OPTION...: the viewer's container, on the network of this machine.
view() {
  podman run --rm --network host --env LATENTDESK_TOKEN --volume "$folder/out:/out" latentdesk-viewer "$@"
}

step_sizes() {
  check_size latentdesk-server "$server_limit_mb"
  check_size latentdesk-viewer "$viewer_limit_mb"
}

fetch_page() {
  /usr/bin/python3 - "$1" <<'END'
import gzip, ssl, sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as answer:
    sys.exit("<title>" not in gzip.decompress(answer.read()).decode())
END
}

step_serving() {
  local log=$folder/server.log asked took
  asked=$(now_ms)
  start_container "$log"
  took=$((ready - $(podman inspect --format '{{.State.StartedAt.UnixMilli}}' "$container")))
  measured "ready to serve $took ms after its start, $((ready - asked)) ms after the command"
  ((took <= ready_limit_ms)) || fail "that is more than $ready_limit_ms ms"
  grep "^https://localhost:$port/#token=" "$log" || fail "no address with a token in $log"
  fetch_page "https://127.0.0.1:$port/" || fail "the page for browsers does not come"
  podman healthcheck run "$container" || fail "the image's health check fails"
  [[ $(podman exec "$container" id -u) != 0 ]] || fail "the container runs as root"
}

step_viewing() {
  local port
  port=$(<"$folder/port")
  mkdir -p "$folder/out"
  chmod 777 "$folder/out"
  LATENTDESK_TOKEN=$(sed -n 's/.*#token=//p' "$folder/server.log")
  export LATENTDESK_TOKEN
  view --seconds 8 --screenshot /out/desktop.png --stats-json /out/statistics.json "wss://127.0.0.1:$port"
  cp "$folder/out/desktop.png" "$out"
  # Neither empty nor one colour: windows, letters and a picture in 3D have many.
  /usr/bin/python3 - "$out" <<'END'
import sys
from PIL import Image
picture = Image.open(sys.argv[1]).convert("RGB")
colours = len(picture.getcolors(1 << 24))
print(f"measured: picture of {picture.width}x{picture.height} with {colours} colours")
sys.exit(picture.size != (1920, 1080) or colours < 1000)
END
  CONTAINER_ENGINE=podman scripts/run_viewer.sh --frames 2 "wss://127.0.0.1:$port"
}

step_access() {
  local port
  port=$(<"$folder/port")
  if view --seconds 10 "wss://127.0.0.1:$port" >"$folder/refused.log" 2>&1; then fail "a viewer without a token gets in"; fi
  grep 'a token is needed' "$folder/refused.log"
}

step_crash() {
  local port container program
  port=$(<"$folder/port")
  container=$(container_of latentdesk-server)
  program=$(podman top "$container" hpid args | awk '/bin\/latentdesk-desktop *$/ { print $1; exit }')
  kill -KILL "$program"
  wait_until 5 grep 'was ended by signal Killed; the display stays' "$folder/server.log"
  healthy "$port" || fail "the server does not answer"
  LATENTDESK_TOKEN=$(sed -n 's/.*#token=//p' "$folder/server.log")
  LATENTDESK_TOKEN=$LATENTDESK_TOKEN view --frames 1 --seconds 10 "wss://127.0.0.1:$port"
}

step_ending() {
  local container process processes
  container=$(container_of latentdesk-server)
  mapfile -t processes < <(podman top "$container" hpid | tail -n +2)
  ((${#processes[@]} > 2)) || fail "too few processes: ${processes[*]}"
  stop_container "$container"
  measured "ended $stop_ms ms after docker stop, with status 0"
  ((stop_ms <= stop_limit_ms)) || fail "that is more than $stop_limit_ms ms"
  for process in "${processes[@]}"; do
    [[ ! -e /proc/$process ]] || fail "process $process is left: $(tr '\0' ' ' <"/proc/$process/cmdline")"
  done
}

# An X server of this machine, with and without shared memory; the container has System V identifiers of its own.
step_display() {
  show_shared_display 'through shared memory'
  show_shared_display 'through its socket, without shared memory' -extension MIT-SHM
}

# show_shared_display EXPECTED XVFB_OPTION...
show_shared_display() {
  local log=$folder/display.log number xvfb container
  mkfifo "$folder/number"
  Xvfb -displayfd 3 -screen 0 800x600x24 -ac -nolisten tcp "${@:2}" 3>"$folder/number" &
  xvfb=$!
  read -r number <"$folder/number"
  rm "$folder/number"
  DISPLAY=:$number start_container "$log" --share-display
  wait_until 5 grep "capturing X display :$number $1" "$log"
  measured "$(grep -o 'capturing .*' "$log")"
  stop_container "$container"
  kill "$xvfb"
  wait "$xvfb" || true
}

# An own program, which does not want to end, and a plain baseline viewer.
step_command() {
  local log=$folder/command.log container
  LATENTDESK_INSECURE=1 LATENTDESK_SIZE=640x400 start_container "$log" -- bash -c "trap '' TERM; while true; do xterm; sleep 1; done"
  view --baseline --frames 2 --seconds 10 "ws://127.0.0.1:$port"
  stop_container "$container"
  measured "ended $stop_ms ms after docker stop, though the program ignores SIGTERM"
  ((stop_ms <= stop_limit_ms)) || fail "that is more than $stop_limit_ms ms"
}

# A container that was killed is started again, with what the X server left in /tmp.
step_restart() {
  local port container
  port=$(free_port)
  container=$(podman run --detach --publish "127.0.0.1:$port:8765" latentdesk-server)
  wait_until 30 healthy "$port"
  podman kill --signal KILL "$container"
  podman wait "$container"
  podman start "$container"
  wait_until 30 healthy "$port"
  stop_container "$container"
}

# With Chromium, which runs without a sandbox of its own.
step_browser() {
  local log=$folder/browser.log container
  build_image latentdesk-server-browser server.Dockerfile --build-arg BROWSER=ON
  check_size latentdesk-server-browser 0
  podman run --rm --entrypoint chromium latentdesk-server-browser --headless --dump-dom 'data:text/html,<p>it runs</p>' >"$log"
  grep 'it runs' "$log"
}

# The GPU's image where there is no GPU: it says so, and serves on the CPU unless a GPU was asked for.
step_without_gpu() {
  local log=$folder/cuda.log
  check_size latentdesk-server-cuda 0
  if podman run --rm latentdesk-server-cuda --device cuda >"$log" 2>&1; then fail "--device cuda works without a GPU"; fi
  grep 'there is no NVIDIA driver (libcuda.so.1)' "$log"
  podman run --rm latentdesk-server-cuda --probe >"$log" 2>&1
  grep 'not on a GPU: there is no NVIDIA driver (libcuda.so.1)' "$log"
}
