"""The motion gate: what makes looking at an empty room cost next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.types import Box
from moodify.vision.pixels import SmallLuma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moodify.types import Image

_WIDTH, _HEIGHT = 80, 60
_RATE: Final = 0.2
"""Share of a new frame in the running average: what stands still is background after about ten frames."""
_MIN_CHANGE: Final = 10.0
"""Grey levels: above the noise of a mean of 4 by 4 pixels and of compression, below a dark sleeve before a dark wall."""
_MAX_CHANGE: Final = 30.0
"""Grey levels: more is never noise, even if most of the picture changed and the noise can't be told from it."""
_NOISE_FACTOR: Final = 16.0
"""Times the lower quartile of the change: five standard deviations of Gaussian noise are 15.7 lower quartiles of its absolute value."""
_WHOLE: Final = 0.6
"""A change of this share of the picture is a lamp, a curtain or a moved camera: the average starts anew."""
_MAX_GAIN: Final = 2.0
"""Beyond it, what is black or white in one of the two frames can't be compared."""
_JOIN: Final = np.ones((5, 5), np.uint8)
"""Changes that are no further apart belong together: a head and its shoulders, though the neck looks like the wall behind."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What the gate says of one frame."""

    moved: bool
    brightness: float
    """Mean luma from 0 to 1."""
    region: Box | None = None
    """What moved most, in pixels of the image; None where nothing moved or nothing is known of where."""


class MotionGate:
    """Compares small grey frames with their running average."""

    def __init__(self, threshold: float) -> None:
        """Take the share of the picture, from 0 to 1, that must change to count as movement."""
        self._threshold = threshold
        self._small = SmallLuma(_WIDTH, _HEIGHT)
        self._average: NDArray[np.float32] | None = None
        self._frame = np.empty((_HEIGHT, _WIDTH), np.float32)
        self._change = np.empty((_HEIGHT, _WIDTH), np.float32)

    def look(self, image: Image) -> Motion:
        """Compare ``image`` with what was seen before and remember it; the first one counts as movement.

        Light that grows or fades everywhere, as by a cloud or by the camera's exposure, is divided out first.
        A step that the division does not explain counts as movement once.
        """
        np.copyto(self._frame, self._small.of(image))
        mean = float(self._frame.mean())
        if self._average is None:
            self._average = self._frame.copy()
            return Motion(moved=True, brightness=mean / 255)
        gain = (_quantile(self._frame, 0.5) + 1) / (_quantile(self._average, 0.5) + 1)
        cv2.scaleAdd(self._average, -gain, self._frame, dst=self._change)
        np.abs(self._change, out=self._change)
        limit = min(max(_MIN_CHANGE, _NOISE_FACTOR * _quantile(self._change, 0.25)), _MAX_CHANGE)
        share = float(np.count_nonzero(self._change > limit)) / self._change.size
        whole = share > _WHOLE or not 1 / _MAX_GAIN < gain < _MAX_GAIN
        if whole:
            np.copyto(self._average, self._frame)
        else:
            cv2.accumulateWeighted(self._frame, self._average, _RATE)
        moved = share >= self._threshold
        return Motion(moved=moved, brightness=mean / 255, region=self._largest(limit, image) if moved and not whole else None)

    def _largest(self, limit: float, image: Image) -> Box | None:
        """Return the largest connected change above ``limit`` in pixels of ``image``."""
        changed = cv2.dilate((self._change > limit).astype(np.uint8), _JOIN)
        _, _, parts, _ = cv2.connectedComponentsWithStats(changed)
        if len(parts) < 2:  # noqa: PLR2004 - the first is what did not change
            return None
        x, y, width, height, _ = (int(value) for value in max(parts[1:], key=lambda part: int(part[cv2.CC_STAT_AREA])))
        sx, sy = image.width / _WIDTH, image.height / _HEIGHT
        return Box(x * sx, y * sy, (x + width) * sx, (y + height) * sy)


def _quantile(values: NDArray[np.float32], part: float) -> float:
    """Return a quantile of every other row and column, which is near enough and four times as quick."""
    few = values[::2, ::2]
    place = int(few.size * part)
    return float(np.partition(few, place, axis=None)[place])
