#!/usr/bin/env bash
# Builds everything and runs every test, stage by stage; see usage below.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# In this order: what is quick, or built upon, comes first.
readonly stages="format shell release codec peers client web cuda tidy debug threads fuzz codec-only"
readonly quick_stages="format release"
readonly client_frames=100

fuzz_seconds=20
chosen=$stages
jobs=$(nproc)
tests_at_once=$((2 * jobs)) # most of them wait most of the time

usage() {
  cat <<END
Builds everything and runs every test. Each stage leaves its output in build/logs/STAGE.log; the last line counts stages.

usage: scripts/test.sh [--quick] [--only STAGE] [--fuzz-seconds S]

  --quick           only: $quick_stages
  --only STAGE      one of:
      format        clang-format finds nothing to change
      shell         shellcheck of the scripts
      release       optimised build without a warning, and its tests
      codec         models, weights and golden tensors agree (Python)
      peers         what scripts/compare_peers.sh is made of, on small recordings (Python)
      client        scripts/baseline_client.py against the server and the native viewer; a desktop used through the viewer
      web           the page for browsers: its parsers, and the page in Chromium against the server and the native viewer
                    (without npm or Chromium: skipped)
      cuda          the CUDA backend compiles and links, for the GPUs it is for (without nvcc: skipped)
      tidy          clang-tidy
      debug         build with AddressSanitizer and UndefinedBehaviorSanitizer, and its tests
      threads       tests of what threads share, under ThreadSanitizer
      fuzz          libFuzzer on each parser
      codec-only    what is left without the server's and the viewer's libraries builds
  --fuzz-seconds S  for each fuzzer (default: $fuzz_seconds)
END
}

parse_options() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quick) chosen=$quick_stages ;;
      --only)
        [[ " $stages " == *" ${2:-} "* ]] || fail "--only needs one of: $stages"
        chosen=$2
        shift
        ;;
      --fuzz-seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "--fuzz-seconds needs a number of seconds"
        fuzz_seconds=$2
        shift
        ;;
      *) fail "'$1' is no option; try --help" ;;
    esac
    shift
  done
}

# --- the stages ---

sources() {
  find common server client tests -name node_modules -prune -o '(' -name '*.h' -o -name '*.cpp' -o -name '*.cu' ')' -print
}

stage_format() {
  clang-format --version
  sources | xargs clang-format --dry-run --Werror
}

stage_shell() {
  find . '(' -path ./build -o -name node_modules ')' -prune -o '(' -name '*.sh' -o -path ./.ci/run ')' -exec shellcheck -x '{}' +
}

# build PRESET [TARGET...]
build() {
  cmake --preset "$1" -DLATENTDESK_WERROR=ON
  cmake --build --preset "$1" --parallel "$jobs" ${2:+--target "${@:2}"}
}

stage_release() {
  build release
  ctest --preset release --timeout 120 --parallel "$tests_at_once"
}

stage_codec() {
  /usr/bin/python3 models/test_codec.py
}

stage_peers() {
  /usr/bin/python3 scripts/peers/test_peers.py
}

stage_client() {
  build release latentdesk-server latentdesk-viewer latentdesk-cpu
  /usr/bin/python3 scripts/check_baseline_client.py --binaries build/release/bin --frames "$client_frames"
  /usr/bin/python3 tests/desk/desk_test.py --bin build/release/bin
}

stage_web() {
  local tool
  for tool in npm clang++ wasm-ld chromium; do
    if ! command -v "$tool" >/dev/null; then
      echo "skipped: there is no $tool (scripts/install_dependencies.sh web)"
      return $skipped_status
    fi
  done
  build release latentdesk-server latentdesk-viewer latentdesk-cpu web
  npm --prefix client/web run --silent test
  node tests/web/browser_test.mjs --binaries build/release/bin
}

# Needs no GPU: the tests that do say that they are skipped.
stage_cuda() {
  if ! command -v nvcc >/dev/null && [[ ! -x /usr/local/cuda/bin/nvcc ]]; then
    echo "skipped: there is no nvcc"
    return $skipped_status
  fi
  cmake --preset release -DLATENTDESK_WERROR=ON -DLATENTDESK_CUDA=ON
  cmake --build --preset release --parallel "$jobs" --target latentdesk-cuda latentdesk-cpu codec_test common_test \
    cuda_parity_test
  ctest --preset release -R 'cuda|CudaParity|TileBatches' --no-tests=error
  local target
  for target in 'compute_80,code=\[sm_80\]' 'compute_90,code=\[compute_90,sm_90\]'; do
    grep "arch=$target" build/release/compile_commands.json >/dev/null || fail "no code for $target"
  done
}

# Clang 14 takes libstdc++'s coroutines only when told that they are there, and does not know all of GCC's warnings. Tests are
# left out for the time they take: eight seconds a file go into the headers of libraries.
stage_tidy() {
  cmake --preset release -DLATENTDESK_WERROR=ON
  run-clang-tidy -p build/release -quiet -j "$jobs" -extra-arg=-D__cpp_impl_coroutine=201902L \
    -extra-arg=-Wno-unknown-warning-option "^$repository/(common|server|client)/.*\.cpp$"
}

stage_debug() {
  build debug
  # What oneDNN and X11 keep until the end is not leaked by us, but what we forget is: LeakSanitizer stays on.
  without_random_addresses ctest --preset debug --timeout 600 --parallel "$tests_at_once"
}

stage_threads() {
  local targets
  mapfile -t targets < <(sed -n 's/^ *latentdesk_test(\([a-z_]*\) LABEL threads\b.*/\1/p' tests/CMakeLists.txt)
  ((${#targets[@]} > 0)) || fail "no test in tests/CMakeLists.txt is labelled threads"
  build tsan "${targets[@]}"
  without_random_addresses ctest --preset tsan -L threads --no-tests=error --timeout 600
}

# The sanitizers of GCC 12 and clang 14 cannot map their shadow where newer kernels randomise more bits.
without_random_addresses() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

stage_fuzz() {
  local sources=(tests/fuzz/fuzz_*.cpp) name names=() corpus
  for name in "${sources[@]##*/}"; do names+=("${name%.cpp}"); done
  build fuzz "${names[@]}"
  for name in "${names[@]}"; do
    corpus=(build/fuzz/corpus/"$name")  # what it finds goes into the first folder
    mkdir -p "${corpus[@]}"
    if [[ -d tests/fuzz/corpus/${name#fuzz_} ]]; then corpus+=(tests/fuzz/corpus/"${name#fuzz_}"); fi
    printf '\n--- %s for %d s ---\n' "$name" "$fuzz_seconds"
    # Long inputs from the beginning: a short run would not grow to the length of a message.
    without_random_addresses "build/fuzz/bin/$name" -max_total_time="$fuzz_seconds" -len_control=0 -timeout=10 \
      -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 -artifact_prefix="build/logs/$name-" "${corpus[@]}"
  done
}

stage_codec-only() {
  cmake -S . -B build/codec -G Ninja -DLATENTDESK_APPS=OFF -DLATENTDESK_WERROR=ON
  cmake --build build/codec --parallel "$jobs"
}

# --- running them ---

# Compilations that stages share are done once where ccache is installed.
use_ccache() {
  if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
}

install() {
  scripts/install_dependencies.sh build test
}

run_stages() {
  local stage
  # shellcheck disable=SC2086  # a list of words
  step_count=$(wc -w <<<$chosen)
  for stage in $chosen; do
    run_step "$stage" "$stage" "stage_$stage"
    if ((step_status == 0)); then
      results+=("$(printf '%-12s passed %6d s' "$stage" "$step_seconds")")
      passed=$((passed + 1))
    elif ((step_status == skipped_status)); then
      results+=("$(printf '%-12s skipped, see build/logs/%s.log' "$stage" "$stage")")
      skipped=$((skipped + 1))
    else
      results+=("$(printf '%-12s FAILED %6d s' "$stage" "$step_seconds")")
      failed+=("$stage")
    fi
  done
}

summarise() {
  printf '\n'
  printf '  %s\n' "${results[@]}"
  printf '  %-12s %13d s\n\n' total "$SECONDS"
  if ((${#failed[@]} > 0)); then echo "the first to fail: ${failed[0]}, see build/logs/${failed[0]}.log"; fi
  echo "$passed passed, ${#failed[@]} failed$( ((skipped == 0)) || echo ", $skipped skipped")"
}

main() {
  parse_options "$@"
  cd "$repository"
  trap stop_step EXIT
  install
  use_ccache
  passed=0 skipped=0 failed=() results=()
  run_stages
  summarise
  ((${#failed[@]} == 0))
}

main "$@"
