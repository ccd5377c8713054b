#!/usr/bin/env bash
# Tests and times the CUDA backend on a machine with a GPU; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly carried=$repository/build/gpu-check
readonly archive=$carried.tar.gz  # what is really carried: a third of the size
readonly most_megabytes=60
readonly stream_seconds=15
readonly programs="latentdesk-bench latentdesk-server latentdesk-viewer codec_test cuda_parity_test"
readonly backends="latentdesk-cpu.so latentdesk-cuda.so"

device=cuda
out=$repository/docs/benchmarks
prepare=false

usage() {
  cat <<END
Tests the CUDA backend against the CPU's and PyTorch's golden tensors, times it at 720p, 1080p and 4K and for each batch of
tiles, with both sizes of network, and streams over the loopback interface. Prints one table, and keeps it with a JSON file named
by date and device.

usage: scripts/gpu_check.sh [--out FOLDER] [--device cuda|cpu]
       scripts/gpu_check.sh --prepare

  --prepare      on a machine that can build everything, with or without a GPU: build, and gather programs, libraries and
                 models in build/gpu-check.tar.gz (under $most_megabytes MB), to be carried to the machine with the GPU, with scripts/.
                 There it is used as it is: that needs the driver and cuDNN 9 for CUDA 13, no compiler, no library, no network.
  --out FOLDER   where table and JSON go (default: docs/benchmarks)
  --device cpu   the same on the CPU, to try the script itself

Without that archive it uses build/release, and builds that first.
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --prepare) prepare=true ;;
      --out | --device)
        (($# > 1)) || fail "$1 needs a value"
        if [[ $1 == --out ]]; then out=$2; else device=$2; fi
        shift
        ;;
      *) fail "'$1' is no option; try --help" ;;
    esac
    shift
  done
  [[ $device == cuda || $device == cpu ]] || fail "--device is cuda or cpu"
}

# --- gathering what is carried ---

build() {
  cmake --preset release -DLATENTDESK_CUDA=ON
  # shellcheck disable=SC2086  # lists of words
  cmake --build --preset release --target ${programs} ${backends//.so/}
}

# The libraries of a program or backend, but for those of the C library, the driver and cuDNN, which belong to a machine.
libraries_of() {
  ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' |
    grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv|libmvec|ld-linux[^/]*|libcuda|libcudnn[^/]*|libcublas[^/]*|libnvrtc[^/]*)\.so' || true
}

gather() {
  local name library
  rm -rf "$carried"
  mkdir -p "$carried"/{bin,lib,models}
  for name in $programs $backends; do
    cp "build/release/bin/$name" "$carried/bin/"
    strip --strip-unneeded "$carried/bin/$name"
    libraries_of "build/release/bin/$name" | while read -r library; do cp -Ln "$library" "$carried/lib/"; done
  done
  cp models/latentdesk-*.safetensors "$carried/models/"
  cp -r models/golden "$carried/models/"
  python3 models/random_full.py "$carried/models/random-full.safetensors"
  tar -C "$repository/build" -czf "$archive" gpu-check
  rm -rf "$carried"
  name=$(du -m "$archive" | cut -f 1)
  ((name <= most_megabytes)) || fail "build/gpu-check.tar.gz has $name MB, more than $most_megabytes"
}

# --- finding what is there ---

# The folders that hold cuDNN and what it loads, which need not be where the loader looks: pip has them in its own.
find_libraries() {
  local name folders=() folder
  for name in libcudnn.so.9 libcublasLt.so.13 libnvrtc.so.13; do
    if [[ $(ldconfig -p 2>/dev/null) == *$name* ]]; then continue; fi
    folder=$(find /usr/local/cuda*/ /usr/lib /usr/local/lib /opt /root/.local "$HOME/.local" -name "$name" -print -quit 2>/dev/null || true)
    if [[ -n $folder ]]; then folders+=("$(dirname "$folder")"); fi
  done
  (IFS=:; echo "${folders[*]}")
}

choose_programs() {
  local library_path
  library_path=$(find_libraries)
  if [[ -f $archive ]]; then
    rm -rf "$carried"
    tar -C "$repository/build" -xzf "$archive"
    binaries=$carried/bin models=$carried/models
    library_path=$carried/lib${library_path:+:$library_path}
  else
    binaries=$repository/build/release/bin models=$logs/gpu-models
    [[ -x $binaries/cuda_parity_test ]] || run_or_fail gpu-build "build" build
    mkdir -p "$models"
    cp -r models/latentdesk-*.safetensors models/golden "$models/"
    python3 models/random_full.py "$models/random-full.safetensors"
  fi
  export LD_LIBRARY_PATH=$library_path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LATENTDESK_MODELS_DIR=$models
}

# --- what is done ---

run_or_fail() {
  run_step "$@"
  ((step_status == 0)) || fail "'$2' failed, see build/logs/$1.log"
}

# A step whose failure is counted; the rest still tells something.
run_counted() {
  run_step "$@"
  if ((step_status == 0)); then passed=$((passed + 1)); else failed+=("$2"); fi
}

# On a GPU that was asked for, a skipped test is a failed one.
run_test() {
  local log
  log=$("$@" 2>&1) || { echo "$log"; return 1; }
  echo "$log"
  [[ $device == cpu || $log != *SKIPPED* ]]
}

probe() { "$binaries/latentdesk-server" --device "$device" --probe --model "$models/latentdesk-lite.safetensors"; }
golden_tests() { run_test "$binaries/codec_test" --gtest_filter="*/$device"; }
parity_tests() { LATENTDESK_MODEL=$1 run_test "$binaries/cuda_parity_test"; }

memory_check() {
  # What cuDNN tries and gives up on by itself are no errors of ours; those of our calls are thrown.
  compute-sanitizer --tool memcheck --report-api-errors no --error-exitcode 1 "$binaries/codec_test" \
    --gtest_filter="*Agrees*/$device:*TilesStandAlone/$device:*ChangingSizes*/$device"
}

timings() { "$binaries/latentdesk-bench" --device "$device" --timings --model "$2" --json "$logs/gpu-$1.json"; }

# One stream of 1080p at 60 frames a second; leaves the server's own statistics in its log.
stream() {
  start_server "$binaries/latentdesk-server" "$logs/gpu-server.log" --device "$device" --source pattern --size 1920x1080 \
    --fps 60 --max-fps 60 --model "$models/latentdesk-lite.safetensors"
  trap stop_server EXIT
  if command -v nvidia-smi >/dev/null; then
    (sleep 8; nvidia-smi --query-compute-apps=pid,used_memory --format=csv) >"$logs/gpu-memory.log" 2>&1 &
  fi
  "$binaries/latentdesk-viewer" --headless --device "$device" --model "$models/latentdesk-lite.safetensors" \
    --seconds "$stream_seconds" --stats-json "$logs/gpu-viewer.json" "$server_url"
  kill -0 "$server_pid"
  [[ $device == cpu ]] || grep -q "of the GPU's time" "$logs/gpu-server.log"
}

# What a matrix product loses to a stream beside it.
tenant() {
  start_server "$binaries/latentdesk-server" "$logs/gpu-tenant-server.log" --device "$device" --source pattern \
    --size 1920x1080 --fps 60 --max-fps 60 --model "$models/latentdesk-lite.safetensors"
  trap stop_server EXIT
  env -u LD_LIBRARY_PATH python3 scripts/gpu_tenant.py alone
  "$binaries/latentdesk-viewer" --headless --no-decode --seconds 20 "$server_url" >/dev/null &
  sleep 3
  env -u LD_LIBRARY_PATH python3 scripts/gpu_tenant.py beside
}

# --- the report ---

device_name() {
  if [[ $device == cpu ]]; then echo cpu; return; fi
  sed -n 's/^cuda: \([^,]*\),.*/\1/p' "$logs/gpu-probe.log" | tr -cs 'A-Za-z0-9\n' - | tr '[:upper:]' '[:lower:]'
}

table() {
  cat "$logs/gpu-probe.log"
  for name in lite full; do
    if [[ -s $logs/gpu-timings-$name.log ]]; then printf '\n'; cat "$logs/gpu-timings-$name.log"; fi
  done
  if [[ -s $logs/gpu-stream.log ]]; then
    printf '\nstream of 1920x1080 at 60 frames a second over loopback, the end of the viewer and the server:\n'
    tail -n 8 "$logs/gpu-stream.log"
    grep -E 'frames a second|GPU' "$logs/gpu-server.log" || true
    cat "$logs/gpu-memory.log" 2>/dev/null || true
  fi
  if [[ -s $logs/gpu-tenant.log ]]; then printf '\nmatrix product beside the stream:\n'; cat "$logs/gpu-tenant.log"; fi
  printf '\n%d steps passed, %d failed%s\n' "$passed" ${#failed[@]} "${failed[*]:+: ${failed[*]}}"
}

json() {
  local name separator=
  printf '{"passed": %d, "failed": %d, "timings": [' "$passed" ${#failed[@]}
  for name in lite full; do
    if [[ -s $logs/gpu-$name.json ]]; then printf '%s\n' "$separator"; cat "$logs/gpu-$name.json"; separator=,; fi
  done
  printf ']}\n'
}

check() {
  choose_programs
  rm -f "$logs"/gpu-{lite,full,viewer}.json "$logs"/gpu-{timings-lite,timings-full,stream,memory,tenant}.log
  step_count=5
  if [[ $device == cuda ]]; then step_count=7; fi
  if [[ $device == cuda ]] && command -v compute-sanitizer >/dev/null; then step_count=$((step_count + 1)); fi
  if [[ $device == cuda ]] && env -u LD_LIBRARY_PATH python3 -c 'import torch' 2>/dev/null; then step_count=$((step_count + 1)); fi
  run_or_fail gpu-probe "probe" probe
  run_counted gpu-golden "golden tensors of PyTorch" golden_tests
  if [[ $device == cuda ]]; then
    run_counted gpu-parity-lite "parity with the CPU, lite" parity_tests "$models/latentdesk-lite.safetensors"
    run_counted gpu-parity-full "parity with the CPU, full (random weights)" parity_tests "$models/random-full.safetensors"
    if command -v compute-sanitizer >/dev/null; then run_counted gpu-memcheck "compute-sanitizer memcheck" memory_check; fi
  fi
  run_counted gpu-timings-lite "timings, lite" timings lite "$models/latentdesk-lite.safetensors"
  run_counted gpu-timings-full "timings, full (random weights)" timings full "$models/random-full.safetensors"
  run_counted gpu-stream "stream over loopback" stream
  if ((step < step_count)); then run_counted gpu-tenant "matrix product beside a stream" tenant; fi
}

main() {
  parse_options "$@"
  cd "$repository"
  PATH=$PATH:/usr/local/cuda/bin
  trap stop_step EXIT
  passed=0 failed=()
  if $prepare; then
    step_count=2
    run_or_fail gpu-build "build" build
    run_or_fail gpu-gather "gather in build/gpu-check.tar.gz" gather
    du -h "$archive"
    return
  fi
  check
  mkdir -p "$out"
  local name
  name=$out/$(date -u +%Y-%m-%d)-$(device_name)
  table | tee "$name.txt"
  json >"$name.json"
  echo "kept in $name.txt and $name.json"
  ((${#failed[@]} == 0))
}

main "$@"
