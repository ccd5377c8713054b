# shellcheck shell=bash
# Shared by the scripts here, which source it: where things are, steps that show their progress, a server to talk to.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly repository
readonly logs=$repository/build/logs
readonly skipped_status=77  # of a step that has nothing to do here, and says so in its last line
readonly tail_lines=40 tail_columns=200  # of a log, when a step fails

# Ctrl-C ends what runs through the trap of EXIT, which each script sets.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step_count=0  # set by a script that knows how many steps it has
step=0
step_pid=

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# run_step NAME TEXT COMMAND...: one line, "[2/5] TEXT ... 41 s". What the command prints goes to build/logs/NAME.log, whose end is
# shown when it fails. Leaves step_status and step_seconds. Not to be called in a condition: bash would then ignore `set -e` in
# all that the command does.
run_step() {
  local name=$1 text=$2 log=$logs/$1.log start=$SECONDS
  mkdir -p "$logs"
  step=$((step + 1))
  printf '[%d/%d] %s ... ' "$step" "$step_count" "$text"
  # A job of its own, so that what a step leaves behind can be ended as a group.
  set -m
  (set -euo pipefail; "${@:3}") >"$log" 2>&1 </dev/null &
  step_pid=$!
  set +m
  step_status=0
  wait "$step_pid" || step_status=$?
  stop_step
  step_seconds=$((SECONDS - start))
  show_outcome "$name" "$log"
}

show_outcome() {
  if ((step_status == 0)); then
    printf '%d s\n' "$step_seconds"
  elif ((step_status == skipped_status)); then
    tail -n 1 "$2"
  else
    printf 'FAILED after %d s; the end of build/logs/%s.log:\n' "$step_seconds" "$1"
    tail -n "$tail_lines" "$2" | cut -c "1-$tail_columns" | sed 's/^/    /'
  fi
}

stop_step() {
  [[ -n $step_pid ]] || return 0
  kill -- -"$step_pid" 2>/dev/null || true
  step_pid=
}

# start_server PROGRAM LOG OPTION...: a server on a free port of the loopback interface; sets server_pid and server_url.
start_server() {
  local program=$1 log=$2 i
  : >"$log"  # it is read before the server writes to it
  "$program" --listen 127.0.0.1:0 "${@:3}" >"$log" 2>&1 </dev/null &
  server_pid=$!
  for ((i = 0; i < 100; ++i)); do
    server_url=$(sed -n 's/.*listening on \([0-9.]*:[0-9]*\)$/ws:\/\/\1/p' "$log")
    [[ -z $server_url ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  fail "the server did not start: $(tail -n 1 "$log")"
}

# Lets the server end the display and the programs that it started.
stop_server() {
  [[ -n ${server_pid:-} ]] || return 0
  kill "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=
}

# own_user_options ENGINE: what makes docker or podman run a container as the user who calls, one word a line.
own_user_options() {
  printf '%s\n' --user "$(id -u):$(id -g)"
  if [[ $1 == podman ]] && ((EUID != 0)); then printf '%s\n' --userns keep-id; fi
}
