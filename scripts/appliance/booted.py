"""Runs in the booted root, with the root's own Python: installs the appliance, uses it and breaks it as a household would. Prints what it saw."""

# ruff: noqa: D103 - what is tried has a name that says it
# ruff: noqa: S101, T201, PLR2004, FBT003 - it is a test, and prints what it saw

from __future__ import annotations

import ctypes
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SOURCES, LEVER = Path("/srv/moodify"), Path("/srv/lever")
DROP_IN = Path("/etc/systemd/system/moodify.service.d/test.conf")
CONFIGURATION, STATE, PROGRAM = Path("/etc/moodify/moodify.toml"), Path("/var/lib/moodify"), Path("/opt/moodify")
#: The wheels stand beside, for the root has no network.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}

_LIBC = ctypes.CDLL(None, use_errno=True)
_PTRACE_SEIZE, _PTRACE_INTERRUPT, _WALL = 0x4206, 0x4207, 0x40000000

_began_s = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _began_s:6.1f} s  {text}", flush=True)


def check(condition: object, text: str) -> None:
    """Say what was seen; end the test where it is not so."""
    if not condition:
        raise AssertionError(text)
    say(f"ok: {text}")


def sh(*command: str, fails: bool = False, **options: object) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=240, **options)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def until(condition: Callable[[], T], what: str, within_s: float = 60.0) -> T:
    end_s = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > end_s:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(0.1)
    return value


def shown(name: str, unit: str = "moodify") -> str:
    return sh("systemctl", "show", "--value", f"--property={name}", f"{unit}.service").strip()


def install(*arguments: str, sources: Path = SOURCES, fails: bool = False, environment: dict[str, str] | None = None) -> str:
    began_s = time.monotonic()
    said = sh(str(sources / "scripts/install"), *arguments, fails=fails, env=os.environ | OFFLINE | (environment or {}))
    say(f"scripts/install {' '.join(arguments)}: {time.monotonic() - began_s:.1f} s")
    return said


def drop_in(**settings: str) -> None:
    """Set what the test needs of the unit: the pictures that stand for a camera and the finger, and what is quicker than in a home."""
    DROP_IN.parent.mkdir(exist_ok=True)
    lines = {"Environment": f"PYTHONPATH={LEVER}", "RestartSec": "200ms"} | settings
    DROP_IN.write_text("[Service]\n" + "".join(f"{key}={value}\n" for key, value in lines.items()))
    sh("systemctl", "daemon-reload")


def page(path: str = "/api/now", method: str = "GET", body: bytes | None = None) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:8080{path}", method=method, data=body, headers={"X-Moodify": "1", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the page, on loopback
        return json.loads(answer.read() or b"null")


def part(name: str, state: str) -> dict[str, Any]:
    """Return what the page says of a part, once it is so."""

    def look() -> dict[str, Any] | None:
        try:
            now = page()
        except OSError:
            return None
        return now if now[name]["state"] == state else None

    return until(look, f"{name} {state}")


def journal(*arguments: str, unit: str = "moodify") -> list[dict[str, str]]:
    return [json.loads(line) for line in sh("journalctl", "--no-pager", "--output=json", f"--unit={unit}.service", *arguments).splitlines() if line.startswith("{")]


def messages(**options: str) -> list[str]:
    return [str(entry["MESSAGE"]) for entry in journal(**options)]


def press(seconds: float = 0.1) -> None:
    (LEVER / "press").write_text(f"{seconds}\n")


# -- what is tried


def installs() -> None:
    said = install()
    for number in range(1, 8):
        assert f"\n{number}. " in f"\n{said}", said
    check(shown("ActiveState") == "active", f"installed and READY: {shown('StatusText')}")
    user = pwd.getpwnam("moodify")
    check((STATE.stat().st_uid, STATE.stat().st_mode & 0o777) == (user.pw_uid, 0o700), f"{STATE} is the user's own")
    if "The packages are those" not in said:
        # For the next time: packages alone, as pip put them there.
        Path("/out/packages").write_text(str(PROGRAM.resolve()))
    check(CONFIGURATION.stat().st_mode & 0o777 == 0o640 and CONFIGURATION.stat().st_uid == 0, f"{CONFIGURATION} is root's, and the service may read it")
    check(sh("systemctl", "is-enabled", "moodify.service").strip() == "enabled", "it starts with the machine")
    enabled = subprocess.run(["systemctl", "is-enabled", "mosquitto.service"], capture_output=True, text=True, check=False).stdout.strip()
    check(enabled == "disabled" and shown("ActiveState", "mosquitto") == "inactive", "Debian's mosquitto.service is disabled")
    CONFIGURATION.write_text(CONFIGURATION.read_text() + "\n# mine\n")


def works_in_the_sandbox() -> None:
    pid = shown("MainPID")
    groups = set(re.search(r"Groups:\t(.*)", Path(f"/proc/{pid}/status").read_text())[1].split())
    wanted = {line.split(":")[2] for line in Path("/etc/group").read_text().splitlines() if line.split(":")[0] in {"video", "gpio"}}
    check(len(wanted) == 2 and wanted <= groups, "the daemon is in the groups video and gpio")
    environment = dict(each.split("=", 1) for each in Path(f"/proc/{pid}/environ").read_text().split("\0") if each)
    folder = Path(environment["LG_WD"])
    check(folder == Path(f"/proc/{pid}/cwd").readlink() and folder.owner() == "moodify", f"lgpio's folder is the working folder, and the user's: {folder}")
    part("camera", "ok")
    now = part("link", "ok")
    check(True, f"camera: {now['camera']['message']}; link: {now['link']['message']}")
    inside = sh("ps", "-o", "pid=,user=,comm=", "-C", "mosquitto")
    check("moodify" in inside, f"the broker of the hub beside it runs in the same sandbox: {' '.join(inside.split())}")
    hub_log = (STATE / "hub/hub.log").read_text()
    check("could not be raised" not in hub_log, "the hub beside it may ask how many connections it may hold")
    # The same sandbox around `moodify check`.
    unit = Path("/usr/local/lib/systemd/system/moodify.service").read_text()
    unit = re.sub(r"(?m)^(ExecStart=\S+) run$", r"\1 check", unit).replace("Type=notify", "Type=oneshot").replace("WatchdogSec=30\n", "")
    unit = re.sub(r"(?m)^(Restart|SuccessExit|TimeoutStartF|RuntimeDirectory=).*\n", "", unit).replace(
        "[Service]\n", "[Service]\nRuntimeDirectory=moodify-check\nSuccessExitStatus=1\n"
    )
    Path("/run/systemd/system/moodify-checked.service").write_text(unit.replace("%t/moodify", "%t/moodify-check"))
    sh("systemctl", "daemon-reload")
    sh("systemctl", "start", "moodify-checked.service")
    models = [line for line in messages(unit="moodify-checked") if line.startswith("models")]
    check(models and "run on XNNPACK" in models[0], f"in the sandbox: {' '.join(models[0].split())}")


def says_it_in_the_journal() -> None:
    entries = [entry for entry in journal() if entry.get("LOGGER", "").startswith("moodify")]
    wanted = {"MESSAGE", "PRIORITY", "LOGGER", "THREAD_NAME", "CODE_FILE", "SYSLOG_IDENTIFIER"}
    check(entries and all(wanted <= set(entry) for entry in entries), f"journal fields: {', '.join(sorted(wanted))}")
    camera = [entry for entry in entries if entry.get("MOODIFY_PART") == "camera"]
    check(camera and camera[-1]["MOODIFY_STATE"] == "ok", "a part's state is a field: MOODIFY_PART=camera MOODIFY_STATE=ok")


def hears_the_button() -> None:
    part("camera", "ok")
    press()
    until(lambda: any("Pressed scan (button)" in each for each in messages()), "the press in the journal", 10)
    asked = until(lambda: [event for event in page("/api/events?limit=50") if event["kind"] == "mood" and event["data"].get("asked")] or None, "a mood that answers the press", 30)
    check(True, f"a press on the mock button was answered: {asked[0]['data']['mood']}")


def is_restarted_by_the_watchdog() -> None:
    """Stop the watcher's thread alone, as a hang in a driver would; the others go on."""
    drop_in(WatchdogSec="6")
    sh("systemctl", "restart", "moodify.service")
    part("camera", "ok")
    pid = shown("MainPID")
    thread = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == "watcher")
    for call in (_PTRACE_SEIZE, _PTRACE_INTERRUPT):
        if _LIBC.ptrace(call, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(thread, _WALL)
    hung_s = time.monotonic()
    check(page()["camera"]["state"] == "ok", "the watcher's thread is stopped, the page answers all the same")

    def restarted() -> bool:
        # The tracer reaps the thread when the process is killed.
        os.waitpid(-1, os.WNOHANG | _WALL) if Path(f"/proc/{pid}/task/{thread}").exists() else None
        return shown("MainPID") not in {"0", pid}

    until(restarted, "another process")
    took_s = time.monotonic() - hung_s
    check(any("Watchdog timeout" in each for each in messages()), f"the watchdog ended it, and it was started again after {took_s:.1f} s")
    part("camera", "ok")
    drop_in()


def stops_cleanly() -> None:
    part("link", "ok")
    began_s = time.monotonic()
    sh("systemctl", "stop", "moodify.service")
    took_s = time.monotonic() - began_s
    check(took_s < 5 and shown("Result") == "success", f"stopped cleanly in {took_s:.1f} s")
    check(subprocess.run(["pgrep", "-u", "moodify"], capture_output=True, check=False).returncode == 1, "no process is left")
    sh("systemctl", "start", "moodify.service")


def holds_back_after_five_crashes() -> None:
    sh("systemctl", "reset-failed", "moodify.service")

    def kept() -> dict[str, object]:
        return json.loads((STATE / "crashes.json").read_text())

    for _ in range(5 - len(kept()["crashes_s"])):
        pid = until(lambda: kept()["on"] and shown("MainPID") != "0" and shown("MainPID"), "a run")
        before = len(kept()["crashes_s"])
        os.kill(int(pid), signal.SIGKILL)
        until(lambda before=before: len(kept()["crashes_s"]) > before, "the crash being counted")
    status = until(lambda: "safe mode" in shown("StatusText") and shown("ActiveState") == "active" and shown("StatusText"), "safe mode")
    now = page()
    check(now["camera"]["state"] == now["speaker"]["state"] == "broken", f"after five crashes: {status}")
    part("link", "ok")
    pid = shown("MainPID")
    check(not any("/dev/video" in str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()), "no camera is held, page and link are on")
    press()
    until(lambda: shown("MainPID") not in {"0", pid}, "a fresh start")
    part("camera", "ok")
    check(shown("NRestarts") != "0" and kept()["crashes_s"] == [], "a press on the button started it whole again")


def survives_a_failed_upgrade() -> None:
    pid, version, link = shown("MainPID"), page()["version"], PROGRAM.readlink()

    def as_before(what: str) -> None:
        check(shown("MainPID") == pid and PROGRAM.readlink() == link, f"{what}: the version before runs on")
        check(version in sh("/opt/moodify/bin/moodify", "--version"), f"and starts: {version}")

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
    said = install(sources=Path("/srv/dead"), fails=True)
    assert "has taken its place again" in said, said
    check(
        PROGRAM.readlink() == link and shown("ActiveState") == "active" and page()["version"] == version, "a version that does not start: the one before has taken its place again"
    )


def upgrades() -> None:
    device, events = page()["device"], len(page("/api/events?limit=200"))
    install(sources=Path("/srv/next"))
    now = part("camera", "ok")
    check(now["version"] == "9.9.9" and now["device"] == device, f"upgraded in place to {now['version']}")
    check("\n# mine\n" in CONFIGURATION.read_text() and len(page("/api/events?limit=200")) >= min(events, 200), "data and configuration are kept")


def serves_a_hub() -> None:
    said = install("--hub", sources=Path("/srv/next"))
    check(part("camera", "ok")["version"] == "9.9.9" and "The packages are those" in said, "installed twice, nothing is different")
    check("Fingerprint:" in said and "Admin token:" in said and shown("ActiveState", "moodify-hub") == "active", f"the hub is READY: {shown('StatusText', 'moodify-hub')}")
    # What the machine below the root allows is the most that there is.
    allowed = min(20_256, int(re.search(r"Max open files\s+\d+\s+(\d+)", Path("/proc/1/limits").read_text())[1]))
    warned = [each for each in messages(unit="moodify-hub") if "could not be raised" in each or ("lets the hub hold" in each and allowed == 20_256)]
    pid = sh("pgrep", "-u", "moodify-hub", "mosquitto").split()[0]
    limit = int(re.search(r"Max open files\s+(\d+)", Path(f"/proc/{pid}/limits").read_text())[1])
    check(limit >= allowed and not warned, f"its broker is its child, in its sandbox, and may hold {limit} files of {allowed}")
    shown_by = sh("runuser", "-u", "moodify-hub", "--", "/opt/moodify/bin/moodify", "hub", "status", "--folder", "/var/lib/moodify-hub")
    check(True, f"moodify hub status: {' '.join(shown_by.split())[:100]}")
    began_s = time.monotonic()
    sh("systemctl", "stop", "moodify-hub.service")
    took_s = time.monotonic() - began_s
    check(took_s < 5 and shown("Result", "moodify-hub") == "success", f"the hub stopped cleanly in {took_s:.1f} s")


def begins_in_privacy() -> None:
    until(lambda: shown("ActiveState") == "active", "READY after the boot")
    check("off for privacy" in shown("StatusText"), f"after a power cut, with privacy on: {shown('StatusText')}")
    # A container's machine is the kernel's below it, so that the cut looks like a crash here; tests/system tells them apart.
    check(len(json.loads((STATE / "crashes.json").read_text())["crashes_s"]) <= 1, "it does not hold back")
    check(journal("--boot", "--priority=err") == [], "no error is logged")


def begins_without_a_camera() -> None:
    page("/api/privacy", "PUT", b'{"on": false}')
    part("camera", "ok")
    CONFIGURATION.write_text(re.sub(r'(?m)^source = "auto"', 'source = "usb"', CONFIGURATION.read_text()))
    sh("systemctl", "restart", "moodify.service")
    check(shown("ActiveState") == "active" and "camera" in shown("StatusText"), f"READY without a camera: {shown('StatusText')}")


def uninstalls() -> None:
    said = install("--uninstall", fails=True)
    check("--keep, or --purge" in said, "where nobody can be asked, uninstalling asks for an answer")
    install("--uninstall", "--keep")
    left = [str(path) for path in (PROGRAM, Path("/opt/moodify.a"), Path("/opt/moodify.b"), Path("/usr/local/lib/systemd/system/moodify.service")) if path.exists()]
    check(left == [] and shown("LoadState") == "not-found", "the program and its units are gone")
    check((STATE / "moodify.db").exists() and CONFIGURATION.exists(), "data and configuration are there")
    install("--uninstall", "--purge")
    left = [str(path) for path in (STATE, CONFIGURATION.parent, Path("/var/lib/moodify-hub")) if path.exists()]
    check(left == [] and "moodify" not in Path("/etc/passwd").read_text(), "and gone, with their users, where that is asked for")


PHASES = {
    "first": (
        installs,
        works_in_the_sandbox,
        says_it_in_the_journal,
        hears_the_button,
        is_restarted_by_the_watchdog,
        stops_cleanly,
        holds_back_after_five_crashes,
        survives_a_failed_upgrade,
        upgrades,
        serves_a_hub,
    ),
    "second": (begins_in_privacy, begins_without_a_camera, uninstalls),
}


def main() -> int:
    phase = Path("/srv/phase").read_text().strip()
    say(f"booted: {sh('systemctl', '--version').splitlines()[0]}, Python {sys.version.split()[0]}")
    try:
        if phase == "first":
            drop_in()
        for each in PHASES[phase]:
            each()
        if phase == "first":
            page("/api/privacy", "PUT", b'{"on": true}')
            until(lambda: "off for privacy" in shown("StatusText"), "privacy")
    except Exception as error:  # noqa: BLE001 - whatever it was is said, with the journal
        say(f"FAILED: {type(error).__name__}: {error}")
        print(sh("journalctl", "--no-pager", "--lines=60", "--unit=moodify.service", "--unit=moodify-hub.service"), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    Path(f"/out/{Path('/srv/phase').read_text().strip()}").write_text(f"{code}\n")
