"""``moodify``, with a camera that is a file and threads that can be made to die: ``python -m faults_week.levers run …``.

The camera: where ``MOODIFY_FAULTS_CAMERA`` names a file, that stands for a USB camera's device. The adapter is the one that ships; only what
stands below it, OpenCV's, is this file's. The device is open while the file is: ``/proc`` tells who has it. What stands in the file is what the
camera looks at (:data:`VIEWS`), or what its driver does: ``silent`` gives no frame until OpenCV's patience is over, ``hung`` never comes back.
Each opening is a line in a file beside it: when, in seconds of the machine's monotonic clock, and by whom.

The threads: at SIGUSR2 the thread whose name stands in ``MOODIFY_FAULTS_THREAD`` dies by an error, wherever it is, or as soon as one of that name
begins; who is there is written beside it. Where that says :data:`MEMORY`, all memory is taken instead that the process can get, for a while.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from faults_week.names import NAMES, SYNCHRONISED, answer_from, synchronised_while
from moodify import cli
from moodify.camera.opening import CameraOpener
from moodify.camera.sample import ASTRONAUT
from moodify.camera.usb_devices import VideoNode
from moodify.camera.v4l2 import UsbCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA, THREAD = "MOODIFY_FAULTS_CAMERA", "MOODIFY_FAULTS_THREAD"
#: What the camera may look at.
VIEWS = ("person", "nobody", "black", "white")
#: OpenCV's patience with a silent device, as the adapter sets it, in seconds.
SILENT_S = 2.0
#: Beside the camera's file: it is there once somebody waits for a driver that hangs.
HANGS = ".hangs"
WIDTH, HEIGHT, FPS = 1280, 960, 30
_LOOK_S = 0.02
#: In the file of the threads: the memory is to be taken; for how long, in seconds; by pieces of how many bytes.
MEMORY, TAKEN_S = "all memory", 3.0
#: Beside the file of the threads: the name of one that dies as soon as it begins.
DOOMED = ".doomed"
_LARGEST, _SMALLEST = 1 << 24, 1 << 12
#: Names of threads that die as soon as they begin.
_doomed: set[str] = set()


@cache
def _person() -> NDArray[np.uint8]:
    portrait = cv2.imread(str(ASTRONAUT.find()))
    if portrait is None:
        raise SystemExit("faults: the sample's portrait can't be read; scripts/faults installs it")
    return np.asarray(cv2.resize(portrait[:384], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


class FileCapture:
    """What ``cv2.VideoCapture`` is to a device, over a file."""

    def __init__(self, path: str) -> None:
        """Open it; :meth:`isOpened` says whether that went well."""
        self._rng = np.random.default_rng(1)
        self._hangs = Path(f"{path}{HANGS}")
        try:
            self._device = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._device = -1
            return
        with Path(f"{path}.opened").open("a") as log:
            log.write(f"{time.monotonic()!r} {os.getpid()}\n")

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Return whether it opened."""
        return self._device >= 0

    def set(self, propId: int, value: float, /) -> bool:  # noqa: ARG002, N803 - OpenCV's names
        """Take any property."""
        return True

    def grab(self) -> bool:
        """Wait for the next frame; False where there is none any more."""
        time.sleep(1 / FPS)
        until_s = time.monotonic() + SILENT_S
        while (does := self._does()) in {"silent", "hung"} and self._plugged_in():
            if does == "hung":
                self._hangs.touch()
            if does == "silent" and time.monotonic() >= until_s:
                return False
            time.sleep(_LOOK_S)
        return self._plugged_in()

    def retrieve(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """Return a frame: BGR, uint8 (height, width, 3), with the noise of a sensor."""
        match self._does():
            case "person":
                picture = _person()
            case "black":
                picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            case "white":
                picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
            case _:
                picture = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        noise = self._rng.integers(-3, 4, (HEIGHT, WIDTH, 1), np.int16)
        return True, np.clip(picture + noise, 0, 255).astype(np.uint8)

    def release(self) -> None:
        """Close it."""
        if self._device >= 0:
            os.close(self._device)
            self._device = -1

    def _plugged_in(self) -> bool:
        # Without its node it is gone, and who has it open hears nothing any more.
        return os.fstat(self._device).st_nlink > 0

    def _does(self) -> str:
        return os.pread(self._device, 32, 0).decode("ascii")


def _plug_in(device: Path) -> None:
    opened: Any = FileCapture

    def usb(opener: CameraOpener, number: int = 0) -> UsbCamera:
        config = opener._config  # noqa: SLF001 - it is opened in that method's place
        found = (VideoNode(device, "a file", "usb-faults", captures=True),) if device.exists() else ()
        return UsbCamera(
            number,
            width=config.width,
            height=config.height,
            detail_width=config.detail_width,
            fps=config.face_fps,
            timeout_s=config.timeout_s,
            cameras=lambda: found,
            capture=opened,
        )

    CameraOpener._usb = usb  # type: ignore[method-assign,assignment] # noqa: SLF001 - likewise


def _break(wanted: Path) -> None:
    name = wanted.read_text("utf-8").strip()
    if name == MEMORY:
        _take_all_memory(wanted.with_suffix(".taken"))
        return
    there = {_name_of(thread): thread.ident for thread in threading.enumerate()}
    wanted.with_suffix(".there").write_text("".join(f"{each}\n" for each in there), "utf-8")
    victim = there.get(name)
    if victim is None:
        _doomed.add(name)
    else:
        _kill(victim)


def _name_of(thread: threading.Thread) -> str:
    """Return its name; of one that was given none what it runs, for its number says nothing."""
    if isinstance(thread, threading.Timer):
        return "timer"
    given_none = re.fullmatch(r"Thread-\d+ \((\w+)\)", thread.name)
    return thread.name if given_none is None else given_none[1]


def _kill(victim: int | None) -> None:
    # Raised at the thread's next step in Python, wherever that is.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(victim or 0), ctypes.py_object(_Bang))


def _take_all_memory(said: Path) -> None:
    taken: list[bytearray] = []
    size, whole = _LARGEST, 0
    # Nothing is left but what is smaller than a picture's line.
    while size >= _SMALLEST:
        try:
            taken.append(bytearray(size))
            whole += size
        except MemoryError:
            size //= 2
    time.sleep(TAKEN_S)
    taken.clear()
    said.write_text(f"{whole}\n", "ascii")


def _doom() -> None:
    run = threading.Thread.run

    def run_unless_doomed(thread: threading.Thread) -> None:
        if thread.name in _doomed:
            _doomed.discard(thread.name)
            _kill(thread.ident)
        run(thread)

    threading.Thread.run = run_unless_doomed  # type: ignore[method-assign,assignment]


class _Bang(RuntimeError):
    """What a thread dies of."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__("a fault of scripts/faults", *arguments)


if __name__ == "__main__":
    if device := os.environ.get(CAMERA):
        _person()
        _plug_in(Path(device))
    if wanted := os.environ.get(THREAD):
        victim = Path(wanted)
        with suppress(FileNotFoundError):
            _doomed.add(victim.with_suffix(DOOMED).read_text("utf-8"))
        _doom()
        signal.signal(signal.SIGUSR2, lambda _number, _frame: _break(victim))
    if names := os.environ.get(NAMES):
        answer_from(Path(names))
    if mark := os.environ.get(SYNCHRONISED):
        synchronised_while(Path(mark))
    sys.argv[0] = "moodify"
    cli.main()
