"""Runs the appliance over the virtual camera: to a mood and the music that follows it, into privacy and out again. Shows its events.

Run by ``scripts/appliance/camera.sh`` in its root, as root; ends with 1 where something does not come. The argument is the longest time for all of it,
in seconds.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Who the appliance runs as.
USER = "moodify"
#: How the names of open files begin that a camera is behind, or its pixels: devices; the virtual camera's frames; the memory in which they cross.
OF_A_CAMERA = ("/dev/media", "/dev/video", "/dev/v4l", "/dev/udmabuf", "/dev/dma_heap", "/memfd:")
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


def open_of_a_camera() -> dict[str, list[int]]:
    """Return what any process in this root has open of a camera: its name, and the numbers of the processes."""
    found: dict[str, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        for handle in (process / "fd").iterdir():
            try:
                name = str(handle.readlink()).removesuffix(" (deleted)")
            except FileNotFoundError:
                continue
            if name.startswith(OF_A_CAMERA) and int(process.name) not in found.setdefault(name, []):
                found[name].append(int(process.name))
    return found


def may_look_into(pid: int) -> bool:
    """Whether another process of the appliance's user is shown what a process has open."""
    return subprocess.run(["/usr/bin/readlink", f"/proc/{pid}/fd/0"], user=USER, group=USER, extra_groups=[], capture_output=True, check=False).returncode == 0


def say(what: str) -> None:
    """Print one finding."""
    sys.stdout.write(f"  ok    {what}\n")
    sys.stdout.flush()


def expect(found: object, wanted: object, what: str) -> None:
    """Say it, or end."""
    if found != wanted:
        sys.exit(f"  WRONG {what}: {found} instead of {wanted}")
    say(what)


def set_privacy(configuration: Path, wish: str) -> None:
    """Ask at the terminal."""
    subprocess.run(["moodify", "privacy", wish, "--config", str(configuration)], user=USER, group=USER, extra_groups=[], stdout=subprocess.DEVNULL, check=True)


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
    shutil.chown(folder, USER, USER)
    configuration = Path(folder, "moodify.toml")
    configuration.write_text(CONFIGURATION.format(folder=folder))
    command = ["moodify", "run", "--config", str(configuration), "--camera", "pi", "--speaker", "simulated", "--for", sys.argv[1], "--events", "-"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, user=USER, group=USER, extra_groups=[]) as running:
        events = events_of(running)
        felt = until(events, "mood", mood={"happy", "surprised", "calm", "sad", "angry", "tense"})
        until(events, "order")
        drivers = drivers_of(running.pid)
        expect(len(drivers), 1, f"mood {felt['mood']}, music follows, and one process of its own holds the camera")
        held = open_of_a_camera()
        expect({pid for pids in held.values() for pid in pids}, {running.pid, *drivers}, f"those two, and nobody else, have open: {', '.join(sorted(held))}")
        shared = [name for name, pids in held.items() if len(pids) > 1]
        expect(shared, ["/memfd:moodify-frame"], "both of them only the memory in which a frame crosses")
        with subprocess.Popen(["/usr/bin/sleep", "60"], user=USER, group=USER, extra_groups=[]) as any_other:
            shown = [may_look_into(pid) for pid in (any_other.pid, running.pid, *drivers)]
            any_other.kill()
        expect(shown, [True, False, False], "another process of the same user is shown nothing of it, though what any other process has open")
        set_privacy(configuration, "on")
        until(events, "camera", state={"off"})
        expect((drivers_of(running.pid), open_of_a_camera()), ([], {}), "privacy: its process is gone, and no process has anything of a camera open")
        set_privacy(configuration, "off")
        until(events, "camera", state={"ok"})
        expect((len(drivers_of(running.pid)), bool(open_of_a_camera())), (1, True), "privacy ended: a process holds the camera again")
        ended_s = time.monotonic()
        running.send_signal(signal.SIGTERM)
        for _ in events:
            pass
expect(running.returncode, 0, f"ended {time.monotonic() - ended_s:.1f} s after SIGTERM")
