"""The sharpest picture of a frame as RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.types import Landmarks, PixelLayout, Point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from moodify.types import Face, Frame, Image

_CONVERSIONS: Final[Mapping[PixelLayout, int]] = {
    PixelLayout.GREY: cv2.COLOR_GRAY2RGB,
    PixelLayout.I420: cv2.COLOR_YUV2RGB_I420,
    PixelLayout.NV12: cv2.COLOR_YUV2RGB_NV12,
}


def sharpest(frame: Frame) -> Image:
    """Return the picture with most pixels."""
    return frame.detail if frame.detail is not None else frame.image


def to_rgb(image: Image) -> NDArray[np.uint8]:
    """Return the picture as RGB (height, width, 3); a view where it is RGB already."""
    if image.layout is PixelLayout.RGB:
        return image.pixels
    return np.asarray(cv2.cvtColor(image.pixels, _CONVERSIONS[image.layout]), np.uint8)


def in_sharpest(face: Face, frame: Frame) -> Landmarks:
    """Return the face's landmarks in pixels of :func:`sharpest`."""
    sharp = sharpest(frame)
    x, y = sharp.width / frame.image.width, sharp.height / frame.image.height
    return Landmarks(*(Point(point.x * x, point.y * y) for point in face.landmarks))
