"""Boxes and faces brought from one picture to another of the same view, and what boxes share. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from moodify.types import Box, Face, Landmarks, Point

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from moodify.types import Image

_LEAST_AREA: Final = 1e-9
"""Square pixels; keeps the overlap of two empty boxes from being 0 / 0."""


class Zoom(NamedTuple):
    """Pixels of one picture for one pixel of another of the same view."""

    x: float = 1.0
    """Across."""
    y: float = 1.0
    """Down."""

    @classmethod
    def into(cls, detail: Image, image: Image) -> Zoom:
        """Return the pixels of ``detail`` for one of ``image``."""
        return cls(detail.width / image.width, detail.height / image.height)

    def box(self, box: Box) -> Box:
        """Return a box of the other picture in this one's pixels."""
        return Box(box.x0 * self.x, box.y0 * self.y, box.x1 * self.x, box.y1 * self.y)

    def landmarks(self, landmarks: Landmarks) -> Landmarks:
        """Return points of the other picture in this one's pixels."""
        return Landmarks(*(Point(point.x * self.x, point.y * self.y) for point in landmarks))


def moved(face: Face, x: float, y: float, zoom: Zoom = Zoom()) -> Face:  # noqa: B008 - it never changes
    """Return ``face``, found in a part of the detail, in pixels of the image.

    Args:
        face: in pixels of the part.
        x: of the part's left edge, in pixels of the detail.
        y: of its top edge.
        zoom: pixels of the detail for one of the image.
    """
    box = Box((face.box.x0 + x) / zoom.x, (face.box.y0 + y) / zoom.y, (face.box.x1 + x) / zoom.x, (face.box.y1 + y) / zoom.y)
    return Face(box, Landmarks(*(Point((p.x + x) / zoom.x, (p.y + y) / zoom.y) for p in face.landmarks)), face.confidence)


def window(image: Image, x: float, y: float, width: float, height: float) -> Box:
    """Return a window of ``image``, as near to the top left corner (x, y) as it lies inside; no larger than the image."""
    width, height = min(width, image.width), min(height, image.height)
    x, y = min(max(x, 0.0), image.width - width), min(max(y, 0.0), image.height - height)
    return Box(x, y, x + width, y + height)


def as_array(boxes: Iterable[Box]) -> NDArray[np.float32]:
    """Return boxes as an array (n, 4): x0, y0, x1, y1."""
    return np.array([*boxes], np.float32).reshape(-1, 4)


def overlaps(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union (n, m) of boxes (n, 4) and (m, 4): x0, y0, x1, y1."""
    corner = np.maximum(some[:, None, :2], others[None, :, :2])
    common = np.prod(np.maximum(np.minimum(some[:, None, 2:], others[None, :, 2:]) - corner, 0), axis=2)
    areas, other_areas = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (some, others))
    return np.asarray(common / np.maximum(areas[:, None] + other_areas[None] - common, _LEAST_AREA), np.float32)
