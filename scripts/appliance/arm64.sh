#!/usr/bin/env bash
# The wheels and models of a Pi on emulated ARM processors: the sample's portraits are scanned, and what is seen is held to what this machine sees.
#   scripts/test-appliance --arm64 [PROCESSOR…]
# Without names: cortex-a53 (Zero 2 W), cortex-a72 (Pi 4), cortex-a76 (Pi 5). The first two have no dot-product instructions: XNNPACK takes other kernels there.
# What may differ is written at the top of compare_scans.py. Times under emulation say nothing about a Pi's. Needs root and about 1 GB, kept in
# $MOODIFY_ROOTS (/var/tmp/moodify-roots) for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup.sh
. scripts/appliance/root.sh

root=$roots/arm64
emulator=/usr/bin/qemu-aarch64-static
# As compilers and libraries are asked for by pip: newest first.
platforms=(manylinux_2_34 manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014)

# make_arm_root: Debian's packages for a Python, unpacked. Nothing in them is configured: that would need binfmt_misc on this machine, and hours.
make_arm_root() {
  local mirror package
  [ ! -e "$root/complete" ] || return 0
  say "fetching an arm64 Debian 12 into $root"
  rm -rf "$root"
  mkdir -p "$roots"
  mirror=$(debian_mirror)
  nice -n 10 debootstrap --foreign --arch=arm64 --variant=minbase --include=python3 bookworm "$root" ${mirror:+"$mirror"} >"$roots/arm64.log" 2>&1 ||
    die "debootstrap failed; see $roots/arm64.log"
  for package in "$root"/var/cache/apt/archives/*.deb; do nice -n 10 dpkg-deb -x "$package" "$root"; done
  rm -rf "$root"/var/cache/apt/archives
  touch "$root/complete"
}

# fetch_wheels: what requirements/base.txt pins, as the wheels that a Pi gets.
fetch_wheels() {
  local stamp options=()
  stamp=$(sha256sum <requirements/base.txt)
  [ "$(cat "$root/wheels-stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "fetching the wheels for aarch64"
  rm -rf "$root/opt/wheels"
  for platform in "${platforms[@]}"; do options+=(--platform "${platform}_aarch64"); done
  pip_into .venv --python-version 3.11 --implementation cp --only-binary=:all: --no-compile "${options[@]}" --require-hashes -r requirements/base.txt --target "$root/opt/wheels" ||
    die "pip could not fetch the wheels. See above; is there a network?"
  printf '%s' "$stamp" >"$root/wheels-stamp"
}

# build_moodify: this checkout, built as scripts/install builds it; in a copy, for building leaves files beside it.
build_moodify() {
  rm -rf "$root/opt/moodify"
  mkdir "$work/sources"
  tar --create --exclude=.work --exclude=__pycache__ --exclude='*.egg-info' pyproject.toml README.md LICENSE device models | tar --extract --no-same-owner --directory "$work/sources"
  pip_into .venv --no-deps --no-build-isolation --no-compile --target "$root/opt/moodify" "$work/sources" || die "moodify could not be built. See above"
}

# describe PROCESSOR: /proc/cpuinfo as Linux writes it there; XNNPACK and LiteRT ask it, and qemu-user shows this machine's.
describe() {
  local part features='fp asimd evtstrm crc32 cpuid' i
  case "$1" in
    cortex-a53) part=0xd03 ;;
    cortex-a72) part=0xd08 ;;
    cortex-a76) part=0xd0b features='fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp' ;;
    *) die "unknown processor $1; there are cortex-a53, cortex-a72 and cortex-a76" ;;
  esac
  for ((i = 0; i < $(nproc --all); i++)); do
    printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: %s\nCPU revision\t: 0\n\n' "$i" "$features" "$part"
  done
}

# emulate PROCESSOR ARGUMENT…: the root's Python on that processor, without a network. /sys is there for XNNPACK, which counts processors in it.
emulate() {
  local processor=$1
  shift
  # shellcheck disable=SC2016 # the inner shell expands them
  env -i PATH="$PATH" HOME=/root PYTHONPATH=/opt/moodify:/opt/wheels PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 \
    nice -n 10 unshare --mount --net --pid --fork --kill-child bash -euc '
      root=$1 cpuinfo=$2 processor=$3
      shift 3
      mount -t proc proc "$root/proc"
      mount --bind "$cpuinfo" "$root/proc/cpuinfo"
      mount -t sysfs -o ro sys "$root/sys"
      exec chroot "$root" /emulator -cpu "$processor" /usr/bin/python3.11 "$@"
    ' - "$root" "$work/$processor.cpuinfo" "$processor" "$@"
}

# fact FILE EXPRESSION: one of the facts that facts.py printed.
fact() { .venv/bin/python -c 'import json, sys; facts = json.load(open(sys.argv[1])); print(eval(sys.argv[2], facts))' "$1" "$2"; }

# tell_facts NAME FILE: who scanned, in one line.
tell_facts() {
  printf '%s (%s): %sPython %s, %s; models %s; XNNPACK runs %s\n' "$1" "$(fact "$2" machine)" \
    "$(fact "$2" '"" if dot_product is None else "dot product yes, " if dot_product else "dot product no, "')" "$(fact "$2" python)" \
    "$(fact "$2" '", ".join(f"{name} {version}" for name, version in versions.items())')" \
    "$(fact "$2" '", ".join(f"{name} {version}" for name, version in models.items())')" \
    "$(fact "$2" '", ".join(name for name, runs in xnnpack.items() if runs) or "nothing"')"
}

processors=("$@")
[ ${#processors[@]} -gt 0 ] || processors=(cortex-a53 cortex-a72 cortex-a76)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for processor in "${processors[@]}"; do describe "$processor" >"$work/$processor.cpuinfo"; done
[ "$(id -u)" -eq 0 ] || die "this makes a Debian root: run it as root, or with sudo"
[ "$(uname -m)" = x86_64 ] || die "this compares an emulated ARM processor with an x86-64, and this machine is $(uname -m)"
need_apt debootstrap qemu-user-static
need_venv build base sample
make_arm_root
fetch_wheels
build_moodify
cp "$emulator" "$root/emulator"
mkdir -p "$root/check"
cp scripts/appliance/facts.py "$root/check"
mapfile -t portraits < <(.venv/bin/python -c 'from moodify.camera.sample import ASTRONAUT, HOPPER; print(ASTRONAUT.find(), HOPPER.find(), sep="\n")')
[ ${#portraits[@]} -eq 2 ] || die "the sample's portraits were not found"
cp "${portraits[@]}" "$root/check"

printf '%s, Debian %s\n' "$("$emulator" --version | sed -n 1p)" "$(cat "$root/etc/debian_version")"
# The program and models that were built for the root, for the checkout may change meanwhile.
export PYTHONPATH=$root/opt/moodify PYTHONDONTWRITEBYTECODE=1
.venv/bin/python -m moodify scan --json --config /dev/null "${portraits[@]}" >"$work/here.json"
.venv/bin/python "$root/check/facts.py" >"$work/here.facts"
tell_facts 'this machine' "$work/here.facts"
status=0
for processor in "${processors[@]}"; do
  say "$processor: scanning two portraits under emulation; this takes minutes"
  since=$SECONDS
  if ! emulate "$processor" -m moodify scan --json --config /dev/null "${portraits[@]/#*\//\/check\/}" >"$work/$processor.json" 2>"$work/$processor.err" ||
    ! emulate "$processor" /check/facts.py >"$work/$processor.facts" 2>>"$work/$processor.err"; then
    cat "$work/$processor.err" >&2
    die "moodify failed on $processor"
  fi
  tell_facts "$processor" "$work/$processor.facts"
  printf '  took %s s under emulation\n' "$((SECONDS - since))"
  [ "$(fact "$work/$processor.facts" 'all(xnnpack.values())')" = True ] || { printf '  NO  XNNPACK does not run every model\n'; status=1; }
  [ "$(fact "$work/$processor.facts" '(versions, models)')" = "$(fact "$work/here.facts" '(versions, models)')" ] || { printf '  NO  these are not the versions of this machine\n'; status=1; }
  [ "$(fact "$work/$processor.facts" dot_product)" = "$(if grep -q asimddp "$work/$processor.cpuinfo"; then echo True; else echo False; fi)" ] ||
    { printf '  NO  the emulated processor is not the one that was asked for\n'; status=1; }
  .venv/bin/python scripts/appliance/compare_scans.py "$root/opt/moodify/moodify/models" "$work/here.json" "$work/$processor.json" || status=1
done
[ "$status" -eq 0 ] && printf 'The same on every processor, within what int8 may differ by.\n'
exit "$status"
