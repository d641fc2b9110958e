"""Runs the appliance over the virtual camera: to a mood and the music that follows it, into privacy and out again. Shows its events.

Run by ``scripts/appliance/camera.sh`` in its root; ends with 1 where something does not come. The argument is the longest time for all of it, in seconds.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "http://127.0.0.1:8080"
#: Waiting times of a household are shortened, and no broker is installed here.
CONFIGURATION = """
[store]
folder = "{folder}/state"
[link]
enabled = false
[mood]
steady_s = 1
[music]
dwell_s = 2
"""


def drivers_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that hold the camera."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()]
    return [each for each in children if b"moodify.camera.driver" in Path(f"/proc/{each}/cmdline").read_bytes()]


def say(what: str) -> None:
    """Print one finding."""
    sys.stdout.write(f"  ok    {what}\n")
    sys.stdout.flush()


def expect(found: object, wanted: object, what: str) -> None:
    """Say it, or end."""
    if found != wanted:
        sys.exit(f"  WRONG {what}: {found} instead of {wanted}")
    say(what)


def set_privacy(*, on: bool) -> None:
    """Ask as the page does."""
    request = urllib.request.Request(f"{PAGE}/api/privacy", json.dumps({"on": on}).encode(), {"X-Moodify": "1", "Content-Type": "application/json"}, method="PUT")  # noqa: S310 - it is the loopback
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass


def until(events: Iterator[dict[str, object]], kind: str, **data: set[str]) -> dict[str, str]:
    """Return the data of the next event of that kind whose data are among those."""
    for event in events:
        said: dict[str, str] = event["data"]  # type: ignore[assignment]
        if event["kind"] == kind and all(said[name] in values for name, values in data.items()):
            return said
    sys.exit(f"  WRONG no {kind} with {data} came")


def events_of(running: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    """Show and yield them."""
    for line in running.stdout or ():
        sys.stdout.write(f"  {line}")
        sys.stdout.flush()
        yield json.loads(line)


with tempfile.TemporaryDirectory() as folder:
    configuration = Path(folder, "moodify.toml")
    configuration.write_text(CONFIGURATION.format(folder=folder))
    command = ["moodify", "run", "--config", str(configuration), "--camera", "pi", "--speaker", "simulated", "--for", sys.argv[1], "--events", "-"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as running:
        events = events_of(running)
        felt = until(events, "mood", mood={"happy", "surprised", "calm", "sad", "angry", "tense"})
        until(events, "order")
        drivers = drivers_of(running.pid)
        expect(len(drivers), 1, f"mood {felt['mood']}, music follows, and one process of its own holds the camera")
        set_privacy(on=True)
        until(events, "camera", state={"off"})
        expect(drivers_of(running.pid), [], "privacy: no process holds the camera")
        set_privacy(on=False)
        until(events, "camera", state={"ok"})
        expect(len(drivers_of(running.pid)), 1, "privacy ended: a process holds the camera again")
        ended_s = time.monotonic()
        running.send_signal(signal.SIGTERM)
        for _ in events:
            pass
expect(running.returncode, 0, f"ended {time.monotonic() - ended_s:.1f} s after SIGTERM")
