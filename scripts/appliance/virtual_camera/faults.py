"""Does to the real picamera2 what a home does to a camera, and says what it saw; ends with 1 where something is not as it should be.

Run by ``scripts/appliance/camera.sh`` in its root, on libcamera's virtual camera.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picamera2 import Picamera2

from moodify.camera.apart import ApartCamera
from moodify.camera.pi import PiCamera
from moodify.camera.steady import Lost, Opened, SteadyCamera
from moodify.errors import CameraLost, MoodifyError
from moodify.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from moodify.camera.steady import News

#: While it exists the cable is loose: see sensor.c.
LOOSE = Path(os.environ["VIRTUAL_CAMERA_HANG"])
CAMERAS = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
#: How long another thread may be kept waiting by whatever the camera does, on a machine that is busy.
SILENCE_S = 1.0
TIMEOUT_S = 2.0
wrong: list[str] = []


def say(what: str, *, right: bool = True) -> None:
    """Print one finding."""
    sys.stdout.write(f"  {'ok   ' if right else 'WRONG'} {what}\n")
    sys.stdout.flush()
    if not right:
        wrong.append(what)


def apart() -> ApartCamera:
    """Open the camera as the appliance does."""
    return ApartCamera({}, timeout_s=TIMEOUT_S)


def pid_of(camera: ApartCamera) -> int:
    """Return the process that holds it."""
    return camera._process.pid  # noqa: SLF001 - it is to be frozen and killed


def is_there(pid: int) -> bool:
    """Whether a process lives."""
    return Path(f"/proc/{pid}").exists()


class Beats:
    """Another thread of the house, and how long it was silent."""

    def __init__(self) -> None:
        self._times = [time.monotonic()]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat)

    def _beat(self) -> None:
        while not self._over.wait(0.02):
            self._times.append(time.monotonic())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def longest_s(self) -> float:
        """Longest silence, in seconds."""
        return max(after - before for before, after in zip(self._times, self._times[1:], strict=False))


@contextmanager
def loose_cable(*, for_s: float | None = None) -> Iterator[None]:
    """Let no frame come, and no call into the driver return; until the end, or for so many seconds."""
    LOOSE.touch()
    # Another process mends it, for this one may stand still.
    mending = os.posix_spawnp("sh", ["sh", "-c", f"sleep {for_s}; rm {LOOSE}"], os.environ) if for_s else None
    try:
        yield
    finally:
        if mending is not None:
            os.waitpid(mending, 0)
        LOOSE.unlink(missing_ok=True)


class Counting(Picamera2):  # type: ignore[misc]
    """Counts the sensor's frames."""

    frames = 0

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.pre_callback = self._count

    def _count(self, _request: Any) -> None:
        type(self).frames += 1


def rates() -> None:
    """Count the sensor's frames and those that are read, at the three rates."""
    with PiCamera(fps=1.0, picamera2=Counting) as camera:
        camera.read()
        for fps, for_s in ((1.0, 6.0), (5.0, 4.0), (15.0, 4.0)):
            camera.set_rate(fps)
            camera.read()
            before, began_s, read = Counting.frames, time.monotonic(), 0
            while time.monotonic() - began_s < for_s:
                camera.read()
                read += 1
            took_s, came = time.monotonic() - began_s, Counting.frames - before
            told = f"at {fps:4g} fps wanted: the sensor gives {came / took_s:4.1f} fps; {read} of {came} frames read, {came - read} released unread"
            say(told, right=came / took_s >= 10 and 0.8 * fps <= read / took_s <= 1.1 * fps + 1 / took_s)  # noqa: PLR2004


def busy() -> None:
    """Open it twice."""
    with PiCamera() as camera:
        camera.read()
        try:
            PiCamera().close()
        except CameraLost as error:
            say(f"a second owner: {error}", right="busy" in str(error))
        else:
            say("a second owner got the camera as well", right=False)
        say(f"the first owner goes on: frame {camera.read().sequence}")  # type: ignore[union-attr]


def hang() -> None:
    """Loosen the cable while it is open: with the driver in this process, and in its own."""
    camera = PiCamera(timeout_s=TIMEOUT_S)
    camera.read()
    with Beats() as beats, loose_cable(for_s=TIMEOUT_S + 6):
        lost_after(camera)
        camera.close()
    say(f"a loose cable, driver in this process: another thread was silent for {beats.longest_s:.1f} s (why it has a process of its own)")

    camera_apart = apart()
    camera_apart.read()
    with Beats() as beats:
        with loose_cable():
            lost_after(camera_apart)
            closing_s = time.monotonic()
            camera_apart.close()
            closed_s = time.monotonic() - closing_s
        say(f"closed after {closed_s:.1f} s, its process is gone", right=not camera_apart.stuck and not is_there(pid_of(camera_apart)))
    say(f"a loose cable, driver in its own: another thread was silent for {beats.longest_s:.2f} s", right=beats.longest_s < SILENCE_S)
    opens_again()


def lost_after(camera: PiCamera | ApartCamera) -> None:
    """Read until it is lost."""
    began_s = time.monotonic()
    try:
        while time.monotonic() - began_s < 30:  # noqa: PLR2004
            camera.read()
    except CameraLost as error:
        say(f"lost after {time.monotonic() - began_s:.1f} s: {error}")
    else:
        say("never lost", right=False)


def opens_again() -> None:
    """Open it and read."""
    with apart() as camera:
        frame = camera.read()
    say(f"it opens again: {frame}", right=frame is not None)


def frozen() -> None:
    """Stop the driver's process, and kill another."""
    camera = apart()
    camera.read()
    os.kill(pid_of(camera), signal.SIGSTOP)
    lost_after(camera)
    camera.close()
    say("SIGSTOP to the driver: closed, its process is gone", right=not is_there(pid_of(camera)))
    camera = apart()
    camera.read()
    os.kill(pid_of(camera), signal.SIGKILL)
    lost_after(camera)
    camera.close()
    opens_again()


def wait_for(steady: SteadyCamera, kind: type[News]) -> News:
    """Wait for that news."""
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        news = steady.next(0.25)
        if isinstance(news, kind):
            return news
    sys.exit(f"no {kind.__name__} within a minute")


def unplugged() -> None:
    """Pull the cable, wait for two tries, and put it back, under what the appliance runs."""
    pids = []

    def open_camera() -> ApartCamera:
        camera = apart()
        pids.append(pid_of(camera))
        return camera

    away = CAMERAS.with_suffix(".away")
    with SteadyCamera(open_camera, retry_first_s=0.5, retry_max_s=4.0) as steady:
        wait_for(steady, Frame)
        CAMERAS.rename(away)
        with loose_cable():
            for _ in range(3):
                lost = wait_for(steady, Lost)
                say(f"unplugged: {lost.reason} (again in {lost.retry_in_s:.1f} s)")  # type: ignore[union-attr]
        say("a person is asked to look", right=lost.needs_person)  # type: ignore[union-attr]
        away.rename(CAMERAS)
        opened = wait_for(steady, Opened)
        say(f"plugged in: {opened.description}, {wait_for(steady, Frame)}")  # type: ignore[union-attr]
        say(f"{sum(map(is_there, pids))} of {len(pids)} processes that held it lives", right=sum(map(is_there, pids)) == 1)
    say("closed: none lives", right=not any(map(is_there, pids)))


for check in (rates, busy, hang, frozen, unplugged):
    try:
        check()
    except MoodifyError as failure:
        say(f"{check.__name__}: {failure}", right=False)
sys.exit(bool(wrong))
