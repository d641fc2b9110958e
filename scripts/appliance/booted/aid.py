"""What the tests in the booted root stand on: commands, the unit, the page, the history, the journal, the finger on the button."""

# ruff: noqa: D103 - most names say it
# ruff: noqa: T201 - it prints what it saw

from __future__ import annotations

import http
import json
import os
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SOURCES, LEVER = Path("/srv/moodify"), Path("/srv/lever")
DROP_IN = Path("/etc/systemd/system/moodify.service.d/test.conf")
CONFIGURATION, STATE, PROGRAM = Path("/etc/moodify/moodify.toml"), Path("/var/lib/moodify"), Path("/opt/moodify")
UNIT = Path("/usr/local/lib/systemd/system/moodify.service")
#: The wheels stand beside, for the root has no network.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}

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


def part(name: str, state: str) -> str:
    """Wait until this run of the daemon says of a part that it is so; return why."""

    def look() -> str:
        said = [entry for entry in journal(f"_SYSTEMD_INVOCATION_ID={shown('InvocationID')}") if entry.get("MOODIFY_PART") == name]
        return said[-1]["MESSAGE"] if said and said[-1]["MOODIFY_STATE"] == state else ""

    return until(look, f"{name} {state}")


def page_answers() -> bool:
    """Whether the page does, with the appliance's own certificate; it may want to know who asks."""
    try:
        known = ssl.create_default_context(cafile=STATE / "web-certificate.pem")
        with urllib.request.urlopen("https://127.0.0.1:8080/", timeout=10, context=known) as answer:
            return bool(answer.status)
    except urllib.error.HTTPError as error:
        return error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False


def events(kind: str = "%") -> list[dict[str, Any]]:
    """Return the data of what the daemon that runs has kept, oldest first."""
    with closing(sqlite3.connect(f"file:{STATE}/moodify.db?mode=ro", uri=True)) as database:
        return [json.loads(data) for (data,) in database.execute("SELECT data FROM events WHERE kind LIKE ? ORDER BY n", (kind,))]


def moodify(*arguments: str) -> str:
    """Run a command of the installed program as its user."""
    return sh("runuser", "-u", "moodify", "--", str(PROGRAM / "bin/moodify"), *arguments)


def environment_of(pid: int | str) -> dict[str, str]:
    return dict(each.split("=", 1) for each in Path(f"/proc/{pid}/environ").read_text().split("\0") if each)


def status_of(pid: int | str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def drivers() -> list[int]:
    """Return the processes that hold the camera."""
    found = subprocess.run(["pgrep", "--uid", "moodify", "--full", "moodify.camera.driver"], stdout=subprocess.PIPE, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def kept() -> dict[str, Any]:
    try:
        return json.loads((STATE / "crashes.json").read_text())
    except FileNotFoundError:
        return {"on": False, "crashes_s": []}


def journal(*arguments: str, unit: str = "moodify") -> list[dict[str, str]]:
    return [json.loads(line) for line in sh("journalctl", "--no-pager", "--output=json", f"--unit={unit}.service", *arguments).splitlines() if line.startswith("{")]


def messages(**options: str) -> list[str]:
    return [str(entry["MESSAGE"]) for entry in journal(**options)]


def press(seconds: float = 0.1) -> None:
    (LEVER / "press").write_text(f"{seconds}\n")
