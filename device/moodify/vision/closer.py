"""The second look: at the part of the picture where something moves, with the pixels that the first look had not.

The first look sees the whole picture at the detector's 320 pixels, where a face at 3 m has a dozen. The frame's detail has four times as
many a side. What a second look at a quarter of the picture brings, and costs, is measured in docs/models.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moodify.types import Box, Face, Landmarks, Point
from moodify.vision.pixels import Part

if TYPE_CHECKING:
    from moodify.types import Frame, Image
    from moodify.vision.port import Detector

_SHARE: Final = 0.5
"""Of the picture's width and height that is looked at."""
_ABOVE: Final = 0.15
"""Share of the window above what moved: shoulders may move while the head does not."""


class SecondLook:
    """Looks for faces in a part of a frame's detail. For one thread at a time."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._part = Part()

    def faces(self, frame: Frame, region: Box) -> tuple[Face, ...]:
        """Return the faces about ``region``, which is in pixels of ``frame.image``, as the faces are; none where there is no detail.

        Raises:
            ModelError: the model fails while it runs.
        """
        if frame.detail is None:
            return ()
        sx, sy = frame.detail.width / frame.image.width, frame.detail.height / frame.image.height
        near = window(region, frame.image)
        part, x, y = self._part.of(frame.detail, Box(near.x0 * sx, near.y0 * sy, near.x1 * sx, near.y1 * sy))
        return tuple(moved(face, x, y, sx, sy) for face in self._detector.faces(part))


def window(region: Box, image: Image) -> Box:
    """Return the part of ``image`` to look at for the face of who moved in ``region``: heads are at the top of what moves."""
    width, height = image.width * _SHARE, image.height * _SHARE
    x = min(max((region.x0 + region.x1 - width) / 2, 0.0), image.width - width)
    y = min(max(region.y0 - _ABOVE * height, 0.0), image.height - height)
    return Box(x, y, x + width, y + height)


def moved(face: Face, x: float, y: float, sx: float = 1.0, sy: float = 1.0) -> Face:
    """Return ``face``, found in a part of the detail, in pixels of the image.

    Args:
        face: in pixels of the part.
        x: of the part's left edge, in pixels of the detail.
        y: of its top edge.
        sx: pixels of the detail for one of the image, across.
        sy: down.
    """
    box = Box((face.box.x0 + x) / sx, (face.box.y0 + y) / sy, (face.box.x1 + x) / sx, (face.box.y1 + y) / sy)
    return Face(box, Landmarks(*(Point((p.x + x) / sx, (p.y + y) / sy) for p in face.landmarks)), face.confidence)
