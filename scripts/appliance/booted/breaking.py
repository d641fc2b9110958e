"""What goes wrong in a home: a driver that hangs, crashes in a row, an upgrade that fails."""

# ruff: noqa: D103 - what is tried has a name that says it
# ruff: noqa: S101, PLR2004 - it is a test

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

from aid import OFFLINE, PROGRAM, STATE, check, drivers, drop_in, install, kept, messages, moodify, page_answers, part, press, sh, shown, until

#: Where this exists the unit's own waiting times are waited for.
PATIENT = Path("/srv/patient")

_LIBC = ctypes.CDLL(None, use_errno=True)
_PTRACE_SEIZE, _PTRACE_INTERRUPT, _WALL = 0x4206, 0x4207, 0x40000000


def is_restarted_by_the_watchdog() -> None:
    """Stop the watcher's thread alone, as a hang in a driver would; the others go on."""
    # For the one who waits; the unit's own are the same, but longer.
    drop_in() if PATIENT.exists() else drop_in(WatchdogSec="6")
    sh("systemctl", "restart", "moodify.service")
    part("camera", "ok")
    pid = shown("MainPID")
    thread = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == "watcher")
    for call in (_PTRACE_SEIZE, _PTRACE_INTERRUPT):
        if _LIBC.ptrace(call, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(thread, _WALL)
    hung_s = time.monotonic()
    check(page_answers(), "the watcher's thread is stopped, the page answers all the same")

    def restarted() -> bool:
        # The tracer reaps the thread when the process is killed.
        os.waitpid(-1, os.WNOHANG | _WALL) if Path(f"/proc/{pid}/task/{thread}").exists() else None
        return shown("MainPID") not in {"0", pid}

    until(restarted, "another process", 180)
    took_s = time.monotonic() - hung_s
    limit = shown("WatchdogUSec")
    check(any("Watchdog timeout" in each for each in messages()), f"the watchdog ({limit}) ended it, and it was started again after {took_s:.1f} s")
    part("camera", "ok")
    drop_in()


def stops_cleanly() -> None:
    took_s = []
    # Whoever else is at work on this machine takes time too; that it is quick is seen once.
    while not took_s or (min(took_s) >= 5 and len(took_s) < 3):
        part("camera", "ok")
        part("link", "ok")
        began_s = time.monotonic()
        sh("systemctl", "stop", "moodify.service")
        took_s.append(time.monotonic() - began_s)
        check(shown("Result") == "success", f"stopped cleanly in {took_s[-1]:.1f} s")
        check(subprocess.run(["pgrep", "-u", "moodify"], capture_output=True, check=False).returncode == 1, "no process is left")
        sh("systemctl", "start", "moodify.service")
    check(min(took_s) < 5, "a clean stop takes less than 5 s")


def crash() -> None:
    """Kill the daemon in its run, and wait until the next run has counted that."""
    pid = until(lambda: kept()["on"] and shown("MainPID") != "0" and shown("MainPID"), "a run")
    before = len(kept()["crashes_s"])
    os.kill(int(pid), signal.SIGKILL)
    until(lambda: len(kept()["crashes_s"]) > before, "the crash being counted")


def in_safe_mode() -> str:
    return until(lambda: "safe mode" in shown("StatusText") and shown("ActiveState") == "active" and shown("StatusText"), "safe mode")


def holds_back_after_five_crashes() -> None:
    sh("systemctl", "stop", "moodify.service")
    (STATE / "crashes.json").unlink()
    sh("systemctl", "reset-failed", "moodify.service")
    sh("systemctl", "start", "moodify.service")
    for _ in range(5):
        crash()
    status = in_safe_mode()
    check(part("camera", "broken") and part("speaker", "broken") and page_answers(), f"after five crashes: {status}")
    part("link", "ok")
    check(drivers() == [], "no process holds a camera, page and link are on")
    # The limit is the last resort: what crashes in safe mode too is given up.
    starts = 6
    while shown("ActiveState") != "failed":
        in_safe_mode()
        check(starts < 12, f"start {starts} is one in safe mode")
        pid = shown("MainPID")
        os.kill(int(pid), signal.SIGKILL)
        until(lambda pid=pid: shown("ActiveState") == "failed" or shown("MainPID") not in {"0", pid}, "another start, or none")
        starts += 1
    check(starts == 9 and "moodify.service: Start request repeated too quickly." in messages(), f"systemd's start limit refuses start {starts}, after three in safe mode")
    sh("systemctl", "reset-failed", "moodify.service")
    sh("systemctl", "start", "moodify.service")
    in_safe_mode()
    pid = shown("MainPID")
    press()
    until(lambda: shown("MainPID") not in {"0", pid}, "a fresh start")
    part("camera", "ok")
    check(shown("NRestarts") != "0" and kept()["crashes_s"] == [], "a press on the button started it whole again")


def survives_a_failed_upgrade() -> None:
    pid, version, link = shown("MainPID"), moodify("--version").strip(), PROGRAM.readlink()

    def as_before(what: str) -> None:
        check(shown("MainPID") == pid and PROGRAM.readlink() == link, f"{what}: the version before runs on")
        check(moodify("--version").strip() == version, f"and starts: {version}")

    said = install(sources=Path("/srv/no-package"), fails=True)
    assert "no-such-package" in said, said
    as_before("pip fails")
    new = Path("/opt/moodify.a" if link.name == "moodify.b" else "/opt/moodify.b")
    command = ["/srv/next/scripts/install"]
    with subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | OFFLINE) as killed:
        until(lambda: list(new.glob("lib/python3*/site-packages/numpy")) or killed.poll() is not None, "half of the files")
        assert killed.poll() is None, "scripts/install ended before it could be killed"
        os.killpg(killed.pid, signal.SIGKILL)
    as_before("killed in the middle of it")
    install(sources=Path("/srv/broken"), fails=True)
    as_before("a version that can't run")
    # As a full card would: the program has its new place, and the units can't be written.
    rules = Path("/usr/local/lib/tmpfiles.d")
    aside = rules.rename(rules.with_name("aside"))
    rules.write_text("")
    install(sources=Path("/srv/next"), fails=True)
    rules.unlink()
    aside.rename(rules)
    as_before("a version that can't take its place in whole")
    said = install(sources=Path("/srv/dead"), fails=True)
    assert "takes its place again" in said, said
    assert "does not start now either" not in said, said
    check(PROGRAM.readlink() == link and shown("MainPID") != pid, "a version that does not start: the one before has taken its place again")
    check(shown("ActiveState") == "active" and moodify("--version").strip() == version, f"and runs: {version}")
