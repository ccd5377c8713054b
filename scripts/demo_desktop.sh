#!/usr/bin/env bash
# The programs of the demo desktop: a wallpaper, a panel, an editor, two terminals and a scene in 3D. They run until they
# are ended together, which the server does:
#
#   latentdesk-server --start-display 1280x720 -- scripts/demo_desktop.sh [READY]
#
# READY is a file to create once all of it shows.
# Nothing of the user's settings is read or written, and no more of the machine shows than this source tree and its load.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly repository
readonly hacks=/usr/libexec/xscreensaver
readonly wallpaper=/usr/share/desktop-base/emerald-theme/wallpaper/contents/images/1280x800.svg

# --- what runs in the terminals ---

# Comes round again at its end, so that the desktop never stands still.
type_commands() {
  cd "$repository"
  while true; do
    clear
    enter "grep -n --color=always 'class\|template\|public' common/*.h | head -16"
    enter "wc -l server/*.cpp | sort -n | tail -8"
    enter "sed -n '/^## Framing/,/^| 4+/p' docs/protocol.md"
    enter "ls --color=always common server"
  done
}

# Types one command at the pace of a person, runs it, and leaves time to read.
enter() {
  local i
  printf '\033[1;32mdemo@latentdesk\033[0m:\033[1;34m~\033[0m$ '
  for ((i = 0; i < ${#1}; ++i)); do
    printf '%s' "${1:i:1}"
    sleep 0.08
  done
  printf '\n'
  bash -c "$1"
  sleep 4
}

# A bar for each of the first cores, once a second.
show_load() {
  local -A busy_before=() total_before=()
  local core user nice system idle rest busy total
  printf '\033[?25l\033[2J'
  while sleep 1; do
    printf '\033[H\n\033[1m load of this machine\033[0m\n\n'
    while read -r core user nice system idle rest; do
      [[ $core == cpu[0-9] ]] || continue
      busy=$((user + nice + system)) total=$((user + nice + system + idle + ${rest%% *}))
      bar "$core" $((busy - ${busy_before[$core]:-0})) $((total - ${total_before[$core]:-0}))
      busy_before[$core]=$busy total_before[$core]=$total
    done </proc/stat
    show_memory
    printf '\n %s ' "$(date '+%A %d %B')"
  done
}

show_memory() {
  local name kilobytes total=1 available=0
  while read -r name kilobytes _; do
    case $name in
      MemTotal:) total=$kilobytes ;;
      MemAvailable:) available=$kilobytes ;;
    esac
  done </proc/meminfo
  printf '\n'
  bar "mem " $((total - available)) "$total"
}

# bar NAME PART WHOLE
bar() {
  local length=$((14 * $2 / ($3 > 0 ? $3 : 1))) cells
  printf -v cells '%14s' ''
  printf ' %s \033[4%dm%s\033[47m%s\033[0m %3d%%\n' "$1" $((length > 10 ? 1 : length > 6 ? 3 : 2)) \
    "${cells:0:length}" "${cells:length}" $((100 * $2 / ($3 > 0 ? $3 : 1)))
}

# --- the desktop ---

make_home() {
  HOME=$(mktemp -d --tmpdir latentdesk-demo.XXXX)
  trap clean_up EXIT
  trap 'exit 0' TERM INT HUP
  export HOME XDG_CONFIG_HOME=$HOME XDG_CACHE_HOME=$HOME XDG_DATA_HOME=$HOME XDG_RUNTIME_DIR=$HOME
  # One GL thread and no session services: the demo must leave the cores to the codec.
  export LIBGL_ALWAYS_SOFTWARE=1 LP_NUM_THREADS=1 NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory GTK_THEME=Adwaita LC_ALL=C.UTF-8
  write_openbox_settings
  write_panel_settings
  write_editor_settings
}

# What still runs would write its settings while they are removed.
clean_up() {
  local programs
  mapfile -t programs < <(jobs -p)
  kill "${programs[@]}" 2>/dev/null || true
  wait
  rm -rf "$HOME"
}

# The distribution's configuration with another theme, and a place for the program that has no option for it.
write_openbox_settings() {
  local place="<application class='Geany'><position force='yes'><x>620</x><y>312</y></position>"
  place+="<size><width>634</width><height>330</height></size></application>"
  sed "s|</applications>|$place&|; s|<name>Clearlooks</name>|<name>Onyx</name>|" /etc/xdg/openbox/rc.xml >"$HOME/rc.xml"
}

write_panel_settings() {
  cat >"$HOME/tint2rc" <<'END'
rounded = 0
background_color = #10141c 80

rounded = 3
background_color = #ffffff 15

panel_items = TC
panel_size = 100% 30
panel_position = bottom center horizontal
panel_background_id = 1
panel_padding = 6 3 6
task_maximum_size = 170 28
task_centered = 0
task_padding = 6 3 6
task_font = DejaVu Sans 9
task_font_color = #c8ccd4 100
task_active_background_id = 2
time1_format = %H:%M:%S
time1_font = DejaVu Sans 9
clock_font_color = #e8ecf4 100
clock_padding = 8 0
END
}

write_editor_settings() {
  mkdir "$HOME/geany"
  cat >"$HOME/geany/geany.conf" <<'END'
[geany]
editor_font=DejaVu Sans Mono 10
sidebar_visible=true
treeview_position=170
pref_toolbar_show=false
statusbar_visible=false
show_markers_margin=false
END
  # Copies, so that nobody edits the sources through the demo.
  cp "$repository"/common/{latest,protocol}.h "$HOME"
}

start() {
  "$@" >/dev/null 2>&1 &
}

# A calm palette in the manner of today's terminals, for the plain and for the bright colours.
palette() {
  local colours=(3b4252 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0 e5e9f0) i
  for i in {0..7}; do printf '%s\n' -xrm "*color$i: #${colours[i]}" -xrm "*color$((i + 8)): #${colours[i]}"; done
}

# terminal FUNCTION OPTION...: an xterm in which this script runs FUNCTION.
terminal() {
  local colours
  mapfile -t colours < <(palette)
  start xterm -u8 -fa 'DejaVu Sans Mono' -fs 10 "${colours[@]}" "${@:2}" -e "$repository/scripts/demo_desktop.sh" "$1"
}

start_programs() {
  start openbox --config-file "$HOME/rc.xml"
  sleep 1  # windows that come before the window manager are not placed by it
  feh --no-fehbg --bg-fill "$wallpaper" || xsetroot -solid '#204a46'
  terminal type_commands -T terminal -fg '#d8dee9' -bg '#1b2028' -geometry 70x36+24+30
  # 66 ms of rest after each picture are fifteen a second, at most.
  start "$hacks/geodesicgears" -no-wander -title gears -window -geometry 376x221+620+30 -delay 66000
  terminal show_load -T load -fg '#202020' -bg '#fbf8ef' -geometry 26x13+1024+30
  start geany --new-instance --no-session --no-msgwin --config "$HOME/geany" "$HOME/latest.h" "$HOME/protocol.h:33"
  start tint2 -c "$HOME/tint2rc"
}

# The editor is the last to show, and takes a moment to fill its window.
wait_until_shown() {
  until xwininfo -root -tree | grep '"Geany"' >/dev/null; do sleep 0.25; done
  sleep 2
}

case ${1:-} in
  type_commands | show_load) "$1" ;;
  *)
    make_home
    start_programs
    wait_until_shown
    if [[ -n ${1:-} ]]; then touch "$1"; fi
    wait
    ;;
esac
