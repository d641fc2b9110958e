"""What a camera would see, painted beforehand, so that making pictures costs the appliance that is measured neither time nor memory.

The pictures lie in a file that the appliance maps: they are the kernel's pages, not its own. One row is one frame: 320×240 I420 as a Pi's small
stream gives it, then 640×480 I420, the same view with more pixels.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from moodify.camera.base import Closing, Pacer
from moodify.camera.sample import SampleCamera
from moodify.errors import CameraLost
from moodify.types import Frame, Image, PixelLayout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SMALL, LARGE = (320, 240), (640, 480)
_SMALL_BYTES, _LARGE_BYTES = (width * height * 3 // 2 for width, height in (SMALL, LARGE))
#: Of each scene so many frames are painted, a fifth of a second apart; they are shown to and fro.
FRAMES = 25
FPS = 5.0
#: When the sample camera shows what, in seconds.
_BEGINS_S = {"astronaut": 5.0, "nobody": 26.5, "hopper": 38.0}


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is to be seen, and for how long."""

    who: str
    """``astronaut``, ``hopper`` or ``nobody``."""
    length_s: float


def read_play(words: str) -> tuple[Scene, ...]:
    """Return the scenes of a play such as ``astronaut:20 nobody:10``, which goes round and round."""
    return tuple(Scene(who, float(length_s)) for who, length_s in (word.split(":") for word in words.split()))


def i420(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture as I420 of a size: uint8 (height * 3 // 2, width)."""
    scaled = rgb if rgb.shape[1::-1] == size else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2YUV_I420), np.uint8)


def paint(file: Path) -> None:
    """Write the frames of all scenes into a file."""
    with SampleCamera(astronaut_s=25.0, hopper_s=25.0, nobody_s=8.0, detail_width=LARGE[0]) as sample, file.open("wb") as out:
        for begins_s in _BEGINS_S.values():
            for number in range(FRAMES):
                rgb = sample.render(begins_s + number / FPS)
                out.write(i420(rgb, SMALL).tobytes() + i420(rgb, LARGE).tobytes())


def frame_of(row: NDArray[np.uint8], t_s: float, sequence: int) -> Frame:
    """Return a row as a frame."""
    small = row[:_SMALL_BYTES].reshape(SMALL[1] * 3 // 2, SMALL[0])
    large = row[_SMALL_BYTES:].reshape(LARGE[1] * 3 // 2, LARGE[0])
    return Frame(Image(small, PixelLayout.I420), t_s, sequence, Image(large, PixelLayout.I420))


def rows_of(file: Path) -> NDArray[np.uint8]:
    """Return the painted frames, mapped: uint8 (frames, bytes)."""
    return np.memmap(file, np.uint8, "r").reshape(-1, _SMALL_BYTES + _LARGE_BYTES)


class StagedCamera(Closing):
    """A camera before which a play is given, round and round."""

    live = True
    description = "a painted play (scripts/soak_hours)"

    def __init__(self, file: Path, play: tuple[Scene, ...], fps: float) -> None:
        """Take what :func:`paint` has written, who is to be seen when, and frames per second until :meth:`set_rate` says otherwise."""
        self._rows = rows_of(file)
        self._play = play
        self._pacer = Pacer(fps)
        self._began_s = time.monotonic()
        self._sequence = 0

    def read(self) -> Frame | None:
        """Return the next frame.

        Raises:
            CameraLost: it was closed.
        """
        if not self._pacer.wait():
            raise CameraLost("the play is over; open it again")
        now_s = time.monotonic()
        first = list(_BEGINS_S).index(self._on_stage(now_s - self._began_s)) * FRAMES
        # To and fro, so that nothing jumps.
        step = self._sequence % (2 * FRAMES - 2)
        frame = frame_of(self._rows[first + min(step, 2 * FRAMES - 2 - step)], now_s, self._sequence)
        self._sequence += 1
        return frame

    def set_rate(self, fps: float) -> None:
        """Give so many frames per second."""
        self._pacer.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Do nothing: there is no exposure."""

    def close(self) -> None:
        """End the stream, and a read that waits."""
        self._pacer.stop()

    def _on_stage(self, t_s: float) -> str:
        within_s = t_s % sum(scene.length_s for scene in self._play)
        for scene in self._play:
            if within_s < scene.length_s:
                return scene.who
            within_s -= scene.length_s
        return self._play[-1].who
