#!/usr/bin/env bash
# Boots a Debian root with a real systemd, installs the appliance there and uses it; scripts/test-appliance calls it.
#   scripts/appliance/boot.sh bookworm|trixie [--fresh] [--patient]
# Ends with 77 where this machine lets nobody boot a root. --patient waits for the unit's own watchdog, and not for a quicker one.
# Packages that pip has installed once there are taken from the cache the next time, as an upgrade takes them from the version before, while the
# list of them is the same; --fresh installs them anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup.sh
. scripts/appliance/root.sh
suite=${1:?bookworm or trixie}
packages=$roots/appliance-$suite-packages patient=''
for option in "${@:2}"; do
  case "$option" in
    --fresh) rm -rf "$packages" ;;
    --patient) patient=1 ;;
    *) die "unknown option $option" ;;
  esac
done

# cannot WHY…: this machine does not let us boot a root, which is no fault of the appliance.
cannot() {
  printf '%s: no root can be booted on this machine, and the appliance was not tested: %s\n' "${0##*/}" "$*" >&2
  exit 77
}
[ "$(id -u)" -eq 0 ] || cannot "it takes root; run it as root, or with sudo"
unshare --mount --uts --ipc --net --pid --fork true 2>/dev/null || cannot "the kernel gives no namespaces; in a container, start that one with --privileged"
need_apt mmdebstrap systemd-container
need_venv build base sample
mkdir -p "$roots"
# Two that want the same root make it one after the other.
exec {lock}>"$roots/appliance-$suite.lock"
flock "$lock"
make_root "$suite"
make_wheels "$suite"
flock --unlock "$lock"
# A booted root has the machine's control groups, and would end the processes of another one's units of the same name.
one_at_a_time

run=$(mktemp -d "$roots/run.XXXXXX")
nspawn=''
# cut_power: ends the root without a word to it.
cut_power() {
  [ -n "$nspawn" ] || return 0
  pkill -KILL --parent "$nspawn" 2>/dev/null || true
  wait "$nspawn" 2>/dev/null || true
  nspawn=''
}
tidy() {
  cut_power
  umount --lazy "$run/root" 2>/dev/null || true
  rm -rf "$run"
}
trap tidy EXIT
mkdir "$run"/{up,work,root,out}
mount -t overlay overlay -o "lowerdir=$roots/appliance-$suite,upperdir=$run/up,workdir=$run/work" "$run/root" || cannot "it mounts no overlay; see above"
root=$run/root
in_root=(systemd-nspawn --quiet --directory="$root" --private-network --register=no --keep-unit --machine="moodify-$$")
"${in_root[@]}" --console=pipe /usr/bin/true </dev/null >"$run/console" 2>&1 || { cat "$run/console" >&2; cannot "systemd-nspawn starts nothing; see above"; }

# copy_tree NAME: this checkout, as a household has it, at /srv/NAME.
copy_tree() {
  mkdir "$root/srv/$1"
  git ls-files -z --cached --others --exclude-standard -- pyproject.toml README.md LICENSE device models firmware_config requirements scripts systemd |
    tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --no-same-owner --directory "$root/srv/$1"
}
if [ -e "$packages/packed" ]; then
  cp -a "$packages" "$root/opt/moodify.a"
  # They may be those of an upgrade, which lay in the other folder.
  { grep --null -rlI /opt/moodify.b "$root/opt/moodify.a/bin" "$root/opt/moodify.a/pyvenv.cfg" || true; } | xargs -0r sed -i 's|/opt/moodify\.b|/opt/moodify.a|g'
  ln -s moodify.a "$root/opt/moodify"
  say "pip's packages come from $packages; --fresh installs them anew"
fi
for name in moodify next no-package broken dead; do copy_tree "$name"; done
sed -i 's/^version = .*/version = "9.9.9"/' "$root/srv/"{next,broken,dead}/pyproject.toml
# One asks for a package that nobody has, one can't even be imported, one ends as soon as it is started.
printf 'no-such-package==1.0 --hash=sha256:%064d\n' 0 >>"$root/srv/no-package/requirements/hub.txt"
echo 'raise RuntimeError("broken")' >>"$root/srv/broken/device/moodify/cli/main.py"
sed -i 's/^    """Run the appliance until it is ended; return the exit code."""/&\n    raise SystemExit(3)/' "$root/srv/dead/device/moodify/cli/run.py"
grep -q 'raise SystemExit(3)' "$root/srv/dead/device/moodify/cli/run.py"

# What stands for a camera, and the finger on the button.
cp -r scripts/appliance/lever "$root/srv/lever"
mkfifo "$root/srv/lever/press"
.venv/bin/python - "$root/srv/lever" <<'PYTHON'
import shutil
import sys
from pathlib import Path

from moodify.camera.sample import ASTRONAUT, HOPPER

for portrait in (ASTRONAUT, HOPPER):
    place = Path(sys.argv[1]) / portrait.package / portrait.file
    place.parent.mkdir(parents=True)
    shutil.copy(portrait.find(), place)
PYTHON
cp -r scripts/appliance/booted "$root/srv/booted"
[ -z "$patient" ] || touch "$root/srv/patient"
cat >"$root/etc/systemd/system/booted.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/bin/python3 -B /srv/booted
StandardOutput=append:/out/said
StandardError=append:/out/said
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s /etc/systemd/system/booted.service "$root/etc/systemd/system/multi-user.target.wants/"

# boot PHASE SECONDS: boots, and waits for the end of the phase's tests; then the power goes.
boot() {
  local until=$((SECONDS + $2)) teller
  : >"$run/out/said"
  echo "$1" >"$root/srv/phase"
  # A network namespace with loopback only. What is written need not outlast a power cut of this machine.
  "${in_root[@]}" --boot --suppress-sync=yes --console=read-only \
    --bind="$run/out:/out" --bind-ro="$roots/appliance-$suite-wheels:/wheels" </dev/null >>"$run/console" 2>&1 &
  nspawn=$!
  # What it says is shown as it comes.
  tail --quiet --follow --lines=+1 --sleep-interval=0.2 --pid="$nspawn" "$run/out/said" | sed --unbuffered "s/^/$suite  /" &
  teller=$!
  until [ -e "$run/out/$1" ]; do
    if ! kill -0 "$nspawn" 2>/dev/null || [ "$SECONDS" -gt "$until" ]; then
      cat "$run/console" >&2 || true
      die "the root did not end its tests ($1)"
    fi
    sleep 0.2
  done
  cut_power
  wait "$teller"
}
for phase in first second; do
  boot "$phase" 900
  if [ -e "$run/out/packages" ]; then
    rm -rf "$packages.new" "$packages"
    cp -a "$root$(cat "$run/out/packages")" "$packages.new"
    rm -rf "$packages.new"/{bin/moodify,share/moodify,lib/python3*/site-packages/moodify*}
    mv "$packages.new" "$packages"
    rm "$run/out/packages"
  fi
  [ "$(cat "$run/out/$phase")" = 0 ] || die "the appliance does not do what it should, see above"
done
say "the appliance works in $suite: $SECONDS s"
