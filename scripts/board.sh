# What firmware_config/install.list says of a board's own settings; sourced from the project root after scripts/setup.sh.
# shellcheck shell=bash
# Paths are below $BOARD_ROOT, which is empty but for tests.

board_list=firmware_config/install.list
board_begin='# moodify: begin'
board_end='# moodify: end'

# board_says WORD: the rest of each line that begins with WORD.
board_says() { sed -n "s/^$1 //p" "$board_list"; }

# without_our_lines FILE: what a file says without the lines that are ours.
without_our_lines() { sed "/^$board_begin\$/,/^$board_end\$/d" "$1"; }

# put_whole FILE: a file of what stands on stdin in another's place, with its rights, from one moment to the next.
put_whole() {
  cp --preserve=mode,ownership "$1" "$1.moodify" 2>/dev/null || : >"$1.moodify"
  cat >"$1.moodify"
  sync "$1.moodify"
  mv "$1.moodify" "$1"
}

# put_board_files: copies the files and puts the lines; what is there already stays as it is.
put_board_files() {
  local mode source destination
  while read -r mode source destination; do
    install -D --mode="$mode" "firmware_config/$source" "${BOARD_ROOT:-}$destination"
  done < <(board_says file)
  while read -r source destination; do
    destination=${BOARD_ROOT:-}$destination
    [ -e "$destination" ] || continue
    { without_our_lines "$destination"; printf '%s\n' "$board_begin"; cat "firmware_config/$source"; printf '%s\n' "$board_end"; } >"$sources/lines"
    cmp -s "$sources/lines" "$destination" || put_whole "$destination" <"$sources/lines"
  done < <(board_says lines)
}

# take_board_files_away: removes the files and the lines.
take_board_files_away() {
  local source destination
  while read -r _ source destination; do rm -f "${BOARD_ROOT:-}$destination"; done < <(board_says file)
  while read -r source destination; do
    destination=${BOARD_ROOT:-}$destination
    [ -e "$destination" ] || continue
    without_our_lines "$destination" >"$sources/lines"
    cmp -s "$sources/lines" "$destination" || put_whole "$destination" <"$sources/lines"
  done < <(board_says lines)
}

# services_off: stops and disables what the list says, where it is there.
services_off() {
  local unit
  while read -r unit; do systemctl disable --now --quiet "$unit" 2>/dev/null || true; done < <(board_says off)
}
