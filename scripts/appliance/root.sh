# Debian roots that are booted, kept outside the repository; sourced from the project root after scripts/setup.sh.
# shellcheck shell=bash

roots=${MOODIFY_ROOTS:-/var/tmp/moodify-roots}

# debian_mirror: where this machine takes Debian from, the roots do too; other archives, which have no "debian" in their address, come second.
debian_mirror() {
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\(http[^ ]*\).*/\2/p' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
    grep -v security | awk '/debian/ { print; found = 1; exit } { other = other ? other : $0 } END { if (!found) print other }'
}

# apt_settings: how this machine's apt reaches its archives (proxies, how dates are checked), as lines of apt's configuration.
apt_settings() { apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)' || true; }

# pip_settings ROOT: copies what pip is told here (a proxy's certificate, say) into a root, and prints its environment, one setting in a line.
pip_settings() {
  local name
  while IFS= read -r name; do
    printf '%s=%s\n' "$name" "${!name}"
    if [ -f "${!name}" ]; then install -D -m 644 "${!name}" "$1${!name}"; fi
  done < <(compgen -e | grep -E '^PIP_' | grep -v FIND_LINKS || true)
  if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$1/etc/pip.conf"; fi
}

# one_at_a_time: waits until no other root is booted on this machine, and keeps it so to the end of the script.
one_at_a_time() {
  local booted
  exec {booted}>/run/lock/moodify-booted
  flock --nonblock "$booted" || { say "waiting for another root that is booted"; flock "$booted"; }
}

# make_root SUITE: a root that boots, with Python, and with the packages that scripts/install asks for downloaded and not installed.
make_root() {
  local suite=$1 root=$roots/appliance-$1 log=$roots/appliance-$1.log options=()
  [ ! -e "$root/complete" ] || return 0
  say "making a Debian root ($suite) in $root"
  rm -rf "$root"
  apt_settings >"$roots/apt.conf"
  # Nothing in it must outlast a power cut of this machine, and nobody reads its manuals.
  options+=(--aptopt="$roots/apt.conf" --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*')
  # shellcheck disable=SC2016 # it is mmdebstrap that says where
  options+=(--skip=cleanup/apt --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb' --customize-hook='chroot "$1" apt-get install -qy --no-install-recommends --download-only mosquitto python3-systemd python3-venv')
  mmdebstrap --mode=root --variant=minbase --include=systemd,systemd-sysv,python3,ca-certificates,procps "${options[@]}" "$suite" "$root" "$(debian_mirror)" >"$log" 2>&1 ||
    die "mmdebstrap failed; see $log"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # A machine without a name asks for it at its first start.
  systemd-machine-id-setup --root="$root" >>"$log" 2>&1
  mkdir -p "$root/wheels" "$root/out"
  # Started by a boot that nobody watches, for nothing.
  rm -f "$root"/etc/systemd/system/*.wants/{getty@tty1,apt-daily*,dpkg-db-backup,fstrim,e2scrub*}.* "$root"/lib/systemd/system/*.wants/{getty.target,systemd-update-utmp*}
  touch "$root/complete"
}

# make_wheels SUITE: the Python packages that scripts/install pins, as wheels for the root's Python.
make_wheels() {
  local suite=$1 root=$roots/appliance-$1 wheels=$roots/appliance-$1-wheels stamp status=0 upper settings
  stamp=$(cat requirements/{build,base,hub}.txt | sha256sum)
  [ "$(cat "$wheels/stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "fetching Python packages for $suite"
  rm -rf "$wheels"
  mkdir -p "$wheels"
  upper=$(mktemp -d "$roots/wheels.XXXXXX")
  mkdir "$upper"/{up,work,root}
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$upper/up,workdir=$upper/work" "$upper/root"
  mount --bind "$wheels" "$upper/root/wheels"
  cp requirements/*.txt "$upper/root/srv/"
  mapfile -t settings < <(pip_settings "$upper/root")
  {
    chroot "$upper/root" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv &&
      chroot "$upper/root" python3 -m venv /srv/venv &&
      chroot "$upper/root" env -i HOME=/root PATH=/usr/bin:/bin "${settings[@]}" \
        /srv/venv/bin/pip download -q --require-hashes -d /wheels -r /srv/build.txt -r /srv/base.txt -r /srv/hub.txt
  } >>"$roots/appliance-$suite.log" 2>&1 || status=$?
  umount "$upper/root/wheels" "$upper/root"
  rm -rf "$upper"
  [ "$status" -eq 0 ] || die "pip could not fetch the packages; see $roots/appliance-$suite.log"
  printf '%s' "$stamp" >"$wheels/stamp"
}
