"""What is not a face: rooms to put people into, and parts of pictures to put beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from recipe.chance import chance
from recipe.detector.light import coloured
from recipe.letterbox import PADDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.detector.data import Picture, Pictures

_LEAST_PATCH = 24
"""Pixels of the shorter side of a faceless part."""
_HARD_SHARE = 0.4
"""Share of the negatives drawn that come from those on which an earlier round saw faces."""


class Rooms:
    """Negatives, and faceless parts of other pictures."""

    def __init__(self, pictures: Pictures, hard: Sequence[Picture]) -> None:
        """Take them from ``pictures``; ``hard`` are the negatives on which an earlier round saw faces."""
        self._pictures, self._hard = pictures, hard

    def faceless(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A picture, or a part of one, without a face."""
        if chance(rng, 0.5):
            return self.negative(rng)
        for _ in range(4):
            name = "people" if chance(rng, 0.5) else "faces"
            pictures = getattr(self._pictures, name)
            picture = pictures[int(rng.integers(len(pictures)))]
            height, width = picture.pixels.shape[:2]
            w, h = int(rng.uniform(0.2, 0.6) * width), int(rng.uniform(0.2, 0.6) * height)
            x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
            grow = 0.1 * (picture.boxes[:, 2:] - picture.boxes[:, :2])
            low, high = picture.boxes[:, :2] - grow, picture.boxes[:, 2:] + grow
            apart = (low[:, 0] > x + w) | (high[:, 0] < x) | (low[:, 1] > y + h) | (high[:, 1] < y)
            if min(w, h) >= _LEAST_PATCH and apart.all():
                return np.ascontiguousarray(picture.pixels[y : y + h, x : x + w])
        return self.negative(rng)

    def negative(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A negative, coloured at times."""
        pool = self._hard if self._hard and chance(rng, _HARD_SHARE) else self._pictures.negatives
        pixels = pool[int(rng.integers(len(pool)))].pixels
        return coloured(pixels, rng) if chance(rng, 0.6) else pixels.copy()

    def background(self, width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A canvas ``[height, width, 3]`` without a face."""
        if chance(rng, 0.06):
            grey = PADDING if chance(rng, 0.5) else int(rng.integers(256))
            return np.full((height, width, 3), grey, np.uint8)
        pixels = self.negative(rng) if chance(rng, 0.75) else self.faceless(rng)
        rows, columns = pixels.shape[:2]
        share = 1.0 if chance(rng, 0.4) else rng.uniform(0.4, 1.0)
        w, h = max(8, int(columns * share)), max(8, int(rows * share))
        x, y = int(rng.integers(0, columns - w + 1)), int(rng.integers(0, rows - h + 1))
        how = cv2.INTER_AREA if w > width else cv2.INTER_LINEAR
        canvas = cv2.resize(pixels[y : y + h, x : x + w], (width, height), interpolation=how)
        return np.ascontiguousarray(canvas[:, ::-1] if chance(rng, 0.5) else canvas, np.uint8)
