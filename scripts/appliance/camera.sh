#!/usr/bin/env bash
# The code that a Pi runs, over the real picamera2 and libcamera, on libcamera's virtual camera: no hardware, and no emulation of it either.
#   scripts/appliance/camera.sh             what it sees are the sample's portraits
#   scripts/appliance/camera.sh FOLDER      what it sees are the JPEG pictures of that folder, one after the other (60 at most)
# Its root is kept in $MOODIFY_ROOTS (/var/tmp/moodify-roots) and used again; --fresh as the first argument makes it anew. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup.sh
. scripts/appliance/root.sh

# Of Debian's releases only this one has a libcamera whose virtual camera gives two streams and opens a second time: 0.7.2 does, Trixie's 0.4.0 does not.
suite=sid
root=$roots/camera
log=$root.log
python=/opt/moodify/bin/python
aid=scripts/appliance/virtual_camera

[ "$(id -u)" -eq 0 ] || die "a root is made and entered by root; run: sudo $0"
if [ "${1:-}" = --fresh ]; then rm -rf "$root"; shift; fi
if [ -n "${1:-}" ]; then compgen -G "$1/*.jp*g" >/dev/null || die "$1 holds no JPEG pictures"; fi

failed=()
step() { printf '\n== %s\n' "$*"; }

# in_root COMMAND…: as the root's own user ($as names another), without a network, with a sensor's pace.
in_root() {
  # shellcheck disable=SC2016 # it is the inner shell that expands them
  unshare --net --pid --fork --kill-child --mount bash -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" && ip link set lo up && root=$1 as=$2 && shift 2 &&
      exec chroot --userspec="$as:$as" "$root" /usr/bin/env -i HOME=/home/moodify PATH=/opt/moodify/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 \
        LIBCAMERA_LOG_LEVELS="*:FATAL" LD_PRELOAD=/opt/virtual/sensor.so VIRTUAL_CAMERA_FPS=15 VIRTUAL_CAMERA_HANG=/tmp/loose "$@"' - "$root" "${as:-moodify}" "$@"
}

# Written whole, or made anew.
make_camera_root() {
  [ ! -e "$root/complete" ] || return 0
  local mirror settings
  command -v debootstrap >/dev/null || need_apt debootstrap
  say "making a Debian root ($suite) with libcamera and picamera2 in $root; it takes some minutes, once"
  rm -rf "$root"
  mkdir -p "$roots"
  mirror=$(debian_mirror)
  # The compiler and headers are for what picamera2 brings that has no wheel.
  nice -n 10 debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-dev,gcc,libc6-dev,libcap-dev,python3-libcamera,libcamera-tools \
    "$suite" "$root" ${mirror:+"$mirror"} >"$log" 2>&1 || die "debootstrap failed; see $log"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  mapfile -t settings < <(pip_settings "$root")
  mkdir -p "$root/opt/virtual/frames" "$root/srv" "$root/usr/share/libcamera/pipeline/virtual"
  {
    chroot "$root" useradd --create-home moodify &&
      chroot "$root" python3 -m venv --system-site-packages /opt/moodify &&
      nice -n 10 chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin "${settings[@]}" "$python" -m pip install 'picamera2>=0.3.30' 'pytest>=8.3,<10' 'pytest-timeout>=2.3,<3'
  } >>"$log" 2>&1 || die "picamera2 could not be installed in the root; see $log"
  touch "$root/complete"
}

# The project's wheel, with what it depends on.
install_wheel() {
  local source settings wheel
  source=$(mktemp -d)
  mkdir "$source/project"
  git ls-files -z -co --exclude-standard device models pyproject.toml README.md LICENSE | xargs -0 cp --parents -t "$source/project" 2>>"$log"
  (cd "$source/project" && "$OLDPWD/.venv/bin/python" -m pip wheel -q --no-deps --no-build-isolation -w "$source" .) >>"$log" 2>&1 || die "the wheel could not be built; see $log"
  wheel=$(basename "$source"/*.whl)
  cp "$source/$wheel" requirements/base.txt "$root/srv/"
  rm -r "$source"
  mapfile -t settings < <(pip_settings "$root")
  {
    nice -n 10 chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin "${settings[@]}" "$python" -m pip install -q --require-hashes -r /srv/base.txt &&
      chroot "$root" "$python" -m pip install -q --no-deps --no-index --force-reinstall "/srv/$wheel"
  } >>"$log" 2>&1 || die "the wheel could not be installed in the root; see $log"
}

# What stands for the hardware, and the tests.
install_aids() {
  local packages folder=$root/usr/share/libcamera/pipeline/virtual number=0 picture
  packages=$(chroot "$root" "$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  cp $aid/virtual_picamera2.py "$root$packages/"
  echo 'import virtual_picamera2' >"$root$packages/virtual_picamera2.pth"
  cp $aid/sensor.c "$root/opt/virtual/"
  chroot "$root" gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o /opt/virtual/sensor.so /opt/virtual/sensor.c
  cp $aid/virtual.yaml "$folder/"
  # The faults take it away and put it back.
  chroot "$root" chown moodify "${folder#"$root"}"
  rm -rf "$root/opt/virtual/frames" "$root/srv/tests"
  mkdir -p "$root/opt/virtual/frames" "$root/srv/tests"
  if [ -n "${1:-}" ]; then
    for picture in "$1"/*.jp*g; do
      cp "$picture" "$root/opt/virtual/frames/$number.jpg"
      number=$((number + 1))
      # libcamera keeps all of them in memory, in each size.
      [ "$number" -lt 60 ] || break
    done
  else
    .venv/bin/python $aid/frames.py "$root/opt/virtual/frames"
  fi
  cp -r tests/camera tests/waiting.py tests/processes.py "$root/srv/tests/"
  cp $aid/{to_a_mood,faults}.py "$root/srv/"
  printf '[pytest]\npythonpath = /srv/tests\naddopts = -p no:cacheprovider\ntimeout = 120\nfilterwarnings =\n    error\n' >"$root/srv/tests/pytest.ini"
}

# add_systemd: what boots the root. Its archive may be older than apt likes, so apt is told here what it is told on this machine.
add_systemd() {
  [ ! -e "$root/usr/lib/systemd/systemd" ] || return 0
  apt_settings >"$root/etc/apt/apt.conf.d/99here"
  {
    chroot "$root" apt-get update -q &&
      chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends systemd systemd-sysv python3-systemd procps
    # Nobody signs in.
    rm -f "$root"/etc/systemd/system/*.wants/getty@* "$root"/usr/lib/systemd/system/*.wants/{getty.target,systemd-update-utmp*}
  } >>"$log" 2>&1 || die "systemd could not be installed in the root; see $log"
}

# boot_the_unit: boots the root, with the service as it is installed, and looks at it there.
boot_the_unit() {
  local run nspawn until=$((SECONDS + 400)) init
  one_at_a_time
  run=$(mktemp -d "$roots/camera.XXXXXX")
  mkdir "$run"/{up,work,root,out}
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$run/up,workdir=$run/work" "$run/root"
  for file in sysusers.d/moodify.conf tmpfiles.d/moodify.conf; do install -D -m 644 "systemd/$file" "$run/root/usr/local/lib/$file"; done
  install -D -m 644 systemd/moodify.service "$run/root/usr/local/lib/systemd/system/moodify.service"
  cp $aid/in_the_unit.py "$run/root/srv/"
  mkdir -p "$run/root/etc/systemd/system/"{moodify.service.d,multi-user.target.wants}
  printf '[Service]\nEnvironment=LD_PRELOAD=/opt/virtual/sensor.so VIRTUAL_CAMERA_FPS=15 VIRTUAL_CAMERA_HANG=/run/moodify/loose LIBCAMERA_LOG_LEVELS=*:FATAL\n' \
    >"$run/root/etc/systemd/system/moodify.service.d/virtual.conf"
  printf '[Unit]\nAfter=multi-user.target\n[Service]\nExecStart=/usr/bin/python3 -uB /srv/in_the_unit.py\nStandardOutput=append:/out/said\nStandardError=append:/out/said\n' \
    >"$run/root/etc/systemd/system/tried.service"
  ln -s ../tried.service "$run/root/etc/systemd/system/multi-user.target.wants/"
  systemd-machine-id-setup --root="$run/root" >>"$log" 2>&1
  # A systemd as new as this one boots with the newer kind of control groups only.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot --suppress-sync=yes --directory="$run/root" --private-network --register=no --keep-unit \
    --console=read-only --machine="moodify-$$" --bind="$run/out:/out" </dev/null >>"$log" 2>&1 &
  nspawn=$!
  until [ -e "$run/out/status" ] || ! kill -0 "$nspawn" 2>/dev/null || [ "$SECONDS" -gt "$until" ]; do sleep 0.2; done
  for init in $(pgrep --parent "$nspawn"); do kill -KILL "$init" 2>/dev/null || true; done
  wait "$nspawn" 2>/dev/null || true
  sed 's/^/  /' "$run/out/said" || true
  local status
  status=$(cat "$run/out/status" 2>/dev/null || echo 1)
  umount --lazy "$run/root"
  rm -rf "$run"
  return "$status"
}

need_venv build base sample
need_apt systemd-container
make_camera_root
add_systemd
install_wheel
install_aids "${1:-}"

step "versions"
in_root "$python" - <<'END'
import importlib.metadata
import logging
import platform
logging.disable()
import libcamera
print(f"  Python {platform.python_version()} on {platform.machine()}, libcamera {libcamera.CameraManager.version}")
print("  " + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("picamera2", "numpy", "opencv-python-headless", "ai-edge-litert", "moodify")))
END

step "the contract of every camera, over the real picamera2"
in_root "$python" -m pytest -q -c /srv/tests/pytest.ini /srv/tests/camera/test_camera_contract.py /srv/tests/camera/test_camera_apart.py -k 'real_pi or fake or apart' || failed+=(contract)

step "moodify run, to a mood and the music that follows, into privacy and out again"
# Root looks on, for it alone is shown what the appliance's processes have open; the appliance runs as its user.
as=root in_root "$python" /srv/to_a_mood.py 90 2>>"$log" || failed+=("to a mood")

step "a loose cable, a second owner, a frozen and a killed driver, no camera"
in_root "$python" /srv/faults.py 2>>"$log" || failed+=(faults)

step "the driver's process in the sandbox of the unit, in a booted systemd"
boot_the_unit || failed+=("in the unit")

[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}; see above, and $log"
printf '\nall well\n'
