"""Starts moodify.service over the virtual camera, in the booted root of ``scripts/appliance/camera.sh``: libcamera and picamera2 in the unit's sandbox.

Run with the root's own Python, which has no packages. Says what it saw; /out/status is 0 where all was as it should be.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Waiting times of a household are shortened, and no broker is installed here.
CONFIGURATION = '[camera]\nsource = "pi"\n[link]\nenabled = false\n[mood]\nsteady_s = 1\n[music]\ndwell_s = 2\n'


def sh(*command: str) -> str:
    """Run a command; return what it said."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120).stdout.strip()


def until(condition: Callable[[], T], what: str, within_s: float = 90.0) -> T:
    """Wait for it, or end."""
    end_s = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > end_s:
            sys.exit(f"WRONG not within {within_s:g} s: {what}")
        time.sleep(0.2)
    return value


def expect(condition: object, what: str) -> None:
    """Say it, or end."""
    if not condition:
        sys.exit(f"WRONG {what}")
    sys.stdout.write(f"ok    {what}\n")


def shown(name: str) -> str:
    """Return a property of the unit."""
    return sh("systemctl", "show", "--value", f"--property={name}", "moodify.service")


def status_of(pid: int | str) -> dict[str, str]:
    """Return what the kernel says of a process."""
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def drivers() -> list[int]:
    """Return the processes that hold the camera."""
    return [int(pid) for pid in sh("pgrep", "--uid", "moodify", "--full", "moodify.camera.driver").split()]


def said(what: str) -> list[dict[str, Any]]:
    """Return the service's entries in the journal that begin so."""
    entries = [json.loads(line) for line in sh("journalctl", "--no-pager", "--output=json", "--unit=moodify.service").splitlines() if line.startswith("{")]
    return [entry for entry in entries if str(entry["MESSAGE"]).startswith(what)]


def main() -> None:
    """Try it."""
    Path("/etc/moodify").mkdir(exist_ok=True)
    Path("/etc/moodify/moodify.toml").write_text(CONFIGURATION)
    sh("systemd-sysusers")
    sh("systemd-tmpfiles", "--create")
    sys.stdout.write(f"{sh('systemctl', '--version').splitlines()[0]}\n")
    began = sh("systemctl", "start", "moodify.service")
    expect(shown("ActiveState") == "active", f"READY: {shown('StatusText')} {began}")
    until(lambda: said("camera: ok: the Pi's camera"), "the camera")
    pid = shown("MainPID")
    (driver,) = drivers()
    status = status_of(driver)
    tight = {"PPid": pid, "NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0" * 16, "Seccomp_filters": status_of(pid)["Seccomp_filters"]}
    expect(tight.items() <= status.items(), f"a process of its own holds the camera, in the unit's sandbox: {status['Seccomp_filters']} filters of system calls")
    felt = until(lambda: seen("mood", {"happy", "surprised", "calm", "sad", "angry", "tense"}), "a mood")
    expect(felt, f"through libcamera and the sandbox to a mood: {felt}")
    os.kill(driver, signal.SIGKILL)
    until(lambda: drivers() not in ([], [driver]), "another driver")
    until(lambda: len(said("camera: ok: the Pi's camera")) > 1, "the camera again")
    expect(shown("MainPID") == pid, "where the driver's process ends another takes its place, and the daemon goes on")
    began_s = time.monotonic()
    sh("systemctl", "stop", "moodify.service")
    expect(shown("Result") == "success" and drivers() == [], f"stopped cleanly in {time.monotonic() - began_s:.1f} s, and no process is left")


def seen(kind: str, values: set[str]) -> str:
    """Return the newest such mood that the daemon has kept; "" where it has none."""
    with closing(sqlite3.connect("file:/var/lib/moodify/moodify.db?mode=ro", uri=True)) as database:
        moods = [json.loads(data).get("mood") for (data,) in database.execute("SELECT data FROM events WHERE kind = ? ORDER BY n DESC", (kind,))]
    return next((mood for mood in moods if mood in values), "")


if __name__ == "__main__":
    code = 1
    try:
        main()
        code = 0
    except SystemExit as error:
        sys.stdout.write(f"{error}\n{sh('journalctl', '--no-pager', '--lines=40', '--unit=moodify.service')}\n")
    finally:
        Path("/out/status").write_text(f"{code}\n")
