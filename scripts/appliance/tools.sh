#!/usr/bin/env bash
# Fetches what reads files of firmware_config in the tests (cloud-init, netplan, zram-generator, unattended-upgrades) into .cache/tools.
# The packages are unpacked there and not installed: installed, they would change how this machine boots.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup.sh

tools=.cache/tools
# The Python packages are those that cloud-init and unattended-upgrades import; what else they import is in Debian's Python or the project's.
packages=(cloud-init python3-configobj python3-jsonpatch python3-json-pointer netplan.io systemd-zram-generator unattended-upgrades python3-apt python3-distro-info)
stamp="$(. /etc/os-release; printf '%s' "${VERSION_CODENAME:-}") ${packages[*]}"
[ "$(cat "$tools/unpacked" 2>/dev/null)" != "$stamp" ] || exit 0

command -v apt-get >/dev/null || die "this is neither Debian nor Raspberry Pi OS: apt-get is missing, and with it cloud-init and netplan"
# Where nobody has asked yet what there is, apt knows no package.
apt-cache show cloud-init >/dev/null 2>&1 || as_root apt-get -qq update
# netplan's reader is a library, and from Debian 13 on a package of its own.
mapfile -t -O "${#packages[@]}" packages < <(apt-cache depends netplan.io | sed -n 's/^ *Depends: \(libnetplan.*\|netplan-generator\)$/\1/p')
say "unpacking from Debian, into $tools: ${packages[*]}"
rm -rf "$tools"
mkdir -p "$tools/packages"
# Fetched as whoever runs this: apt's own user may not write here.
fetch() { (cd "$tools/packages" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "${packages[@]}") >/dev/null 2>"$tools/log"; }
# What apt knew may be older than the archive.
fetch || { as_root apt-get -qq update && fetch; } || { cat "$tools/log" >&2; die "apt-get could not fetch: ${packages[*]}. See above; is there a network?"; }
for package in "$tools"/packages/*.deb; do dpkg-deb -x "$package" "$tools"; done
rm -r "$tools/packages" "$tools/log"
printf '%s' "$stamp" >"$tools/unpacked"
