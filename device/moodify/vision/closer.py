"""The second look: at the part of the picture where something moves, with the pixels that the first look had not.

The first look sees the whole picture at the detector's 320 pixels, where a face at 3 m has a dozen. The frame's detail has four times as
many a side. What a second look at a quarter of the picture brings, and costs, is measured in docs/models.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moodify.vision.boxes import Zoom, moved, window
from moodify.vision.pixels import Part

if TYPE_CHECKING:
    from moodify.types import Box, Face, Frame, Image
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
        zoom = Zoom.into(frame.detail, frame.image)
        part, x, y = self._part.of(frame.detail, zoom.box(about(region, frame.image)))
        return tuple(moved(face, x, y, zoom) for face in self._detector.faces(part))


def about(region: Box, image: Image) -> Box:
    """Return the part of ``image`` to look at for the face of who moved in ``region``: heads are at the top of what moves."""
    width, height = image.width * _SHARE, image.height * _SHARE
    return window(image, (region.x0 + region.x1 - width) / 2, region.y0 - _ABOVE * height, width, height)
