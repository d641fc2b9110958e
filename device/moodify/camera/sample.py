"""The sample: two public-domain portraits made into a living stream, for a machine without a camera.

The portraits are NASA's of Eileen Collins, which scikit-image ships, and the US Navy's of Grace Hopper, which
matplotlib ships. Only the files are read; neither package is imported.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from moodify.camera.base import Closing, Pacer
from moodify.camera.pictures import rgb_image
from moodify.errors import CameraLost, NoCamera, PictureError
from moodify.pictures import read_picture
from moodify.types import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture of one person, and where the face is."""

    package: str
    """The top-level package whose folder holds it."""
    file: str
    """Path inside that folder."""
    face: tuple[float, float, float]
    """Centre x and y, and width, of the face, in pixels of the picture."""

    def find(self) -> Path:
        """Return the file's path, without importing the package.

        Raises:
            NoCamera: the package or the file is not installed.
        """
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            path = Path(folder) / self.file
            if path.is_file():
                return path
        raise NoCamera(f"the sample needs {self.package}/{self.file}; connect a camera, or run: {sys.executable} -m pip install 'scikit-image>=0.24,<1' 'matplotlib>=3.9,<4'")


#: Happy.
ASTRONAUT = Portrait("skimage", "data/astronaut.png", (226.0, 128.0, 94.0))
HOPPER = Portrait("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (268.0, 215.0, 186.0))

#: A portrait has no more pixels than this to give.
_LARGEST_DETAIL = 640
#: Noise of a small sensor indoors: standard deviation in steps of 8 bits.
_NOISE = 2.0
#: Width of the face as a share of the frame: the middle, and how far it swings.
_SHARE, _SHARE_SWING = 0.29, 0.04
_PAN_SWING = 0.06
_ROLL_SWING_DEG = 3.0
_LIGHT_SWING = 0.08


class SampleCamera(Closing):
    """A person, nobody, another person, nobody, and round again: panned, zoomed, tilted and relit, with sensor noise.

    :meth:`render` is a pure function of the seed and the time; :meth:`read` gives its value now.
    """

    live = True
    description = "the sample portraits (no camera)"

    def __init__(
        self,
        *,
        width: int = 320,
        height: int = 240,
        detail_width: int = 1280,
        fps: float = 5.0,
        seed: int = 0,
        astronaut_s: float = 25.0,
        hopper_s: float = 25.0,
        nobody_s: float = 8.0,
        fade_s: float = 0.8,
    ) -> None:
        """Load the portraits.

        Args:
            width: of the detection image, in pixels.
            height: of it.
            detail_width: largest width of the detail, which is bounded by what the portraits hold.
            fps: frames per second until :meth:`set_rate` says otherwise.
            seed: of movement, light, room and noise.
            astronaut_s: seconds that the astronaut is there.
            hopper_s: seconds that Grace Hopper is there.
            nobody_s: seconds that nobody is there, after each.
            fade_s: seconds that coming and going take, within the person's time.

        Raises:
            NoCamera: a portrait is not installed.
        """
        try:
            portraits = tuple((read_picture(portrait.find()).pixels, portrait.face) for portrait in (ASTRONAUT, HOPPER))
        except PictureError as error:
            raise NoCamera(f"the sample is damaged: {error}") from error
        self._size = (width, height)
        large = max(width, min(detail_width, _LARGEST_DETAIL))
        self._large = (large, round(large * height / width))
        self._scenes = ((portraits[0], astronaut_s), (None, nobody_s), (portraits[1], hopper_s), (None, nobody_s))
        self._fade_s = fade_s
        self._seed = seed
        rng = np.random.default_rng(seed)
        self._phases = rng.uniform(0.0, 2 * math.pi, 5)
        self._room = _empty_room(self._large, rng)
        # A tile larger than the frame, cut at a different place for each frame, is noise enough at a fraction of the cost.
        self._noise = np.round(rng.normal(0.0, _NOISE, (self._large[1] + 64, self._large[0] + 64, 3))).astype(np.int16)
        self._pacer = Pacer(fps)
        self._started_s = time.monotonic()
        self._sequence = 0

    @property
    def period_s(self) -> float:
        """Seconds after which the scenes come round again."""
        return sum(length_s for _, length_s in self._scenes)

    def read(self) -> Frame | None:
        """Return the scene as it is now, at wall-clock pace.

        Raises:
            CameraLost: it was closed.
        """
        if not self._pacer.wait():
            raise CameraLost("the sample is closed; open it again")
        now_s = time.monotonic()
        pixels = self.render(now_s - self._started_s)
        frame = Frame(rgb_image(pixels, self._size), now_s, self._sequence, rgb_image(pixels, self._large))
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

    def render(self, t_s: float) -> NDArray[np.uint8]:
        """Return the frame at ``t_s`` seconds from the start: RGB, uint8 (detail height, detail width, 3)."""
        within_s = t_s % self.period_s
        index = 0
        while within_s >= self._scenes[index][1]:
            within_s -= self._scenes[index][1]
            index = (index + 1) % len(self._scenes)
        scene, length_s = self._scenes[index]
        picture = self._room
        if scene is not None:
            there = 1.0 if self._fade_s <= 0 else min(1.0, within_s / self._fade_s, (length_s - within_s) / self._fade_s)
            person = self._person(*scene, t_s, slide=1.0 - there)
            picture = person if there >= 1.0 else np.asarray(cv2.addWeighted(person, there, self._room, 1.0 - there, 0.0), dtype=np.uint8)
        light = 1.0 + _LIGHT_SWING * math.sin(2 * math.pi * t_s / 19.0 + self._phases[0])
        x, y = np.random.default_rng((self._seed, round(abs(t_s) * 1e6))).integers(0, 64, 2)
        noise = self._noise[y : y + self._large[1], x : x + self._large[0]]
        lit = cv2.convertScaleAbs(picture, alpha=light)
        return np.asarray(cv2.add(lit, noise, dtype=cv2.CV_8U), dtype=np.uint8)

    def _person(self, rgb: NDArray[np.uint8], face: tuple[float, float, float], t_s: float, *, slide: float) -> NDArray[np.uint8]:
        """Return the part of a portrait that the camera would see; a person comes and goes sideways by ``slide`` of a step."""
        width, height = self._large

        def swing(number: int, period_s: float) -> float:
            return math.sin(2 * math.pi * t_s / period_s + self._phases[number])

        scale = (_SHARE + _SHARE_SWING * swing(1, 13.0)) * width / face[2]
        x = width * (0.5 + _PAN_SWING * swing(2, 9.0) + 0.15 * slide)
        # The top of the portrait is the top of the frame at most: above it there is nothing to see.
        y = min(height * (0.5 + 0.5 * _PAN_SWING * swing(3, 7.0)), face[1] * scale)
        turned = np.asarray(cv2.getRotationMatrix2D((face[0], face[1]), _ROLL_SWING_DEG * swing(4, 11.0), scale), dtype=np.float64)
        matrix = turned + np.array([[0.0, 0.0, x - face[0]], [0.0, 0.0, y - face[1]]])
        warped = cv2.warpAffine(rgb, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(warped, dtype=np.uint8)


def _empty_room(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a plain wall with soft, faint patches and the light falling off to one side: uint8 (height, width, 3)."""
    width, height = size
    patches = cv2.resize(rng.normal(0.0, 6.0, (6, 8, 1)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)[:, :, None]
    texture = cv2.GaussianBlur(rng.normal(0.0, 6.0, (height, width)).astype(np.float32), (0, 0), 1.5)[:, :, None]
    falloff = np.linspace(1.1, 0.85, width, dtype=np.float32)[None, :, None] * np.linspace(1.05, 0.9, height, dtype=np.float32)[:, None, None]
    wall = np.array([150.0, 142.0, 130.0], np.float32) * falloff
    return np.asarray(np.clip(wall + patches + texture, 0, 255), dtype=np.uint8)
