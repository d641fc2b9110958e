"""Brings a face into the framing that the classifier was trained on: level, centred, at its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.types import Box, Landmarks, Point
from moodify.vision.pixels import region_luma, widen_luma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodify.types import Image

_MAX_OVERSAMPLING: Final = 16
"""Beyond it a crop would cost more than it gains: a face then is wider than 600 pixels."""
_APART: Final = 1.5
"""Pixels of the image between two samples of a large face, at most. At one pixel the crop takes longer than the
classifier itself. On the sample's portraits no emotion changes between the two, and the probability of none by more than 0.06, on average 0.007."""
_NO_SPREAD: Final = 1e-9
"""Square pixels."""


@dataclass(frozen=True, slots=True)
class Framing:
    """Where the five points of a face lie in a square crop."""

    side: int
    """Width and height of the crop in pixels."""
    landmarks: Landmarks
    """In pixels of the crop."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """``target = factor · source + offset`` on complex numbers x + iy: a turn, a zoom and a shift."""

    factor: complex
    offset: complex

    @property
    def scale(self) -> float:
        """Pixels of the target for one of the source."""
        return abs(self.factor)

    def back(self, point: Point) -> Point:
        """Return the point that comes to lie at ``point``."""
        origin = (complex(*point) - self.offset) / self.factor
        return Point(origin.real, origin.imag)


def similarity(source: Sequence[Point], target: Sequence[Point]) -> Similarity:
    """Return the least-squares similarity transform from ``source`` to ``target``.

    The solution of Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13 (1991), which in the plane and without reflections is a linear regression on
    complex numbers.

    Raises:
        ValueError: all source points are in one place.
    """
    from_points, to_points = [complex(*p) for p in source], [complex(*p) for p in target]
    from_mean, to_mean = sum(from_points) / len(from_points), sum(to_points) / len(to_points)
    spread = sum(abs(p - from_mean) ** 2 for p in from_points)
    if spread < _NO_SPREAD:
        raise ValueError("the points of the face are all in one place")
    factor = sum((p - from_mean).conjugate() * (q - to_mean) for p, q in zip(from_points, to_points, strict=True)) / spread
    return Similarity(factor, to_mean - factor * from_mean)


def _samples(pixels: float) -> int:
    """Return how many samples a pixel of the crop is the mean of, in each direction, where it covers so many pixels of the image."""
    # A small face has no detail to give away: its samples lie no more than a pixel apart.
    return min(max(1, min(math.ceil(pixels), 2), math.ceil(pixels / _APART)), _MAX_OVERSAMPLING)


class Aligner:
    """Cuts faces out of images; its buffers serve one face after the other."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._crop = np.empty((framing.side, framing.side), np.uint8)
        self._large: dict[int, NDArray[np.uint8]] = {}

    def crop(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """Return the face, grey (side, side), 0 to 255; the same buffer at every call.

        A face that is larger than the crop is sampled more finely and averaged, so that it does not alias;
        what lies outside the image repeats its edge.

        Args:
            image: where the face is.
            landmarks: of the face, in pixels of ``image``.

        Raises:
            ValueError: all landmarks are in one place.
        """
        side = self._framing.side
        transform = similarity(landmarks, self._framing.landmarks)
        fine = _samples(1 / transform.scale) if transform.scale > 0 else 1
        plane, left, top = region_luma(image, self._region(transform))
        # Landmarks count from the corner of the first pixel, warpAffine from its centre.
        factor = fine * transform.factor
        offset = fine * transform.offset + factor * complex(left + 0.5, top + 0.5) - complex(0.5, 0.5)
        matrix = np.array([[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]])
        out = self._buffer(fine)
        cv2.warpAffine(plane, matrix, (fine * side, fine * side), dst=out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if fine > 1:
            cv2.resize(out, (side, side), dst=self._crop, interpolation=cv2.INTER_AREA)
        widen_luma(image, self._crop)
        return self._crop

    def _buffer(self, fine: int) -> NDArray[np.uint8]:
        if fine == 1:
            return self._crop
        if fine not in self._large:
            self._large[fine] = np.empty((fine * self._framing.side, fine * self._framing.side), np.uint8)
        return self._large[fine]

    def _region(self, transform: Similarity) -> Box:
        side = float(self._framing.side)
        corners = [transform.back(Point(x, y)) for x in (0.0, side) for y in (0.0, side)]
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        return Box(min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1)
