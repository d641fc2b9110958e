"""Where forehead, cheeks, nose and chin lie on a face, from its five landmarks.

Places are given in the plane of the face: ``a`` counts distances of the eyes from the middle between them towards the person's
left eye, ``b`` distances from there to the middle of the mouth. A head that nods, tilts or turns a little only shears and scales
that plane (weak perspective), so the same figures hold; what stands out of it, the tip of the nose, is taken from its own landmark.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.types import NotJudged, Point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from moodify.types import Landmarks

MIN_EYES_PX: Final = 60.0
"""Distance of the eyes in pixels from which the smallest region, the chin, has about 250 pixels: one pixel then is less than half a percent."""
_MAX_NOSE_SIDE: Final = 0.2
"""``a`` of the tip of the nose; half of where a face stops being judged at all, about 20 degrees. Beyond it a cheek is foreshortened."""
_NOSE_DOWN: Final = (0.45, 0.75)
"""``b`` of the tip of the nose; nine in ten of 3,772 unmasked faces lie between 0.50 and 0.73."""
_HEIGHT: Final = (0.7, 1.5)
"""Height of the mouth below the line of the eyes in distances of the eyes; their median is 1.02 there."""
_FRACTION_BITS: Final = 4
"""OpenCV draws to a sixteenth of a pixel."""


class Region(StrEnum):
    """A part of the face; right and left are the person's own."""

    FOREHEAD = "forehead"
    RIGHT_CHEEK = "right cheek"
    LEFT_CHEEK = "left cheek"
    NOSE = "nose"
    CHIN = "chin"


_CHEEK: Final = ((0.36, 0.35), (0.72, 0.35), (0.62, 0.80), (0.40, 0.80))

#: In the plane of the face. The forehead is the middle of the upper third of the face by the canon of thirds (hairline to brow to base of the nose
#: to chin; Farkas, "Anthropometry of the Head and Face", 1994): above the brows, which reach up to b = -0.31, and below the hairline near -1.
#: A cheek lies between the lower lid (0.10), the wing of the nose (a = 0.20), the corner of the mouth (1.08) and the jaw (a = 1.05 there);
#: the chin between the lower lip (1.27) and its own end (1.80). The figures are medians of the 68 points that people set on 653 fit faces of the data;
#: forehead, cheeks and chin are clear of brows, eyes, nose and mouth on 98, 99 and 95 % of them, an open mouth being what reaches the chin.
_PLACES: Final[Mapping[Region, tuple[tuple[float, float], ...]]] = {
    Region.FOREHEAD: ((-0.40, -0.78), (0.40, -0.78), (0.50, -0.50), (-0.50, -0.50)),
    Region.RIGHT_CHEEK: tuple((-a, b) for a, b in _CHEEK),
    Region.LEFT_CHEEK: _CHEEK,
    Region.CHIN: ((-0.26, 1.44), (0.26, 1.44), (0.18, 1.60), (-0.18, 1.60)),
}
_BRIDGE: Final = ((-0.09, 0.18), (0.09, 0.18))
_TIP: Final = ((0.14, -0.02), (0.08, 0.06), (-0.08, 0.06), (-0.14, -0.02))
"""From the landmark of the nose."""


def unfit(landmarks: Landmarks) -> NotJudged | None:
    """Return why the skin of a face can't be looked at, or None.

    Args:
        landmarks: in pixels of the picture whose skin would be looked at.
    """
    face = _Plane(landmarks)
    if face.eyes_px < MIN_EYES_PX:
        return NotJudged.TOO_SMALL
    if not _HEIGHT[0] <= face.height <= _HEIGHT[1]:
        return NotJudged.TURNED_AWAY
    side, down = face.coordinates(landmarks.nose)
    if abs(side) > _MAX_NOSE_SIDE or not _NOSE_DOWN[0] <= down <= _NOSE_DOWN[1]:
        return NotJudged.TURNED_AWAY
    return None


def polygons(landmarks: Landmarks) -> Mapping[Region, tuple[Point, ...]]:
    """Return the corners of each region, in order, in the landmarks' pixels; all are convex on a face that is not :func:`unfit`.

    On 2,703 fit faces with landmarks of a detector trained elsewhere, all five lie within that detector's box for 98 %. Where the face
    reaches out of the picture, so may they.

    Raises:
        ValueError: eyes and mouth are on one line.
    """
    face = _Plane(landmarks)
    if not face.height:
        raise ValueError("eyes and mouth are on one line: this is no face")
    side, down = face.coordinates(landmarks.nose)
    places = {**_PLACES, Region.NOSE: (*_BRIDGE, *((side + a, down + b) for a, b in _TIP))}
    return {region: tuple(face.point(a, b) for a, b in places[region]) for region in Region}


def mask(polygon: tuple[Point, ...], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels of a picture lie in a polygon or on its edge: (height, width); what lies outside the picture is left out."""
    # Points count from the corner of the first pixel, OpenCV from its centre.
    corners = np.rint((np.array(polygon) - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    drawn = np.zeros((height, width), np.uint8)
    cv2.fillPoly(drawn, [corners], (1,), shift=_FRACTION_BITS)
    return drawn.astype(np.bool_)


class _Plane:
    """The plane of a face, as an affine map from (a, b) to pixels."""

    def __init__(self, landmarks: Landmarks) -> None:
        right, left, right_mouth, left_mouth = (np.array(point) for point in (landmarks.right_eye, landmarks.left_eye, landmarks.right_mouth, landmarks.left_mouth))
        self._origin = (right + left) / 2
        self._axes = np.column_stack((left - right, (right_mouth + left_mouth) / 2 - self._origin))
        self.eyes_px = float(np.hypot(*self._axes[:, 0]))

    @property
    def height(self) -> float:
        """Height of the mouth below the line of the eyes, in distances of the eyes; 0 where they are in one place, negative where it is above."""
        return float(np.linalg.det(self._axes)) / self.eyes_px**2 if self.eyes_px else 0.0

    def coordinates(self, point: Point) -> tuple[float, float]:
        """Return a and b of a point."""
        a, b = np.linalg.solve(self._axes, np.array(point) - self._origin)
        return float(a), float(b)

    def point(self, a: float, b: float) -> Point:
        """Return where (a, b) lies, in pixels."""
        x, y = self._origin + self._axes @ (a, b)
        return Point(float(x), float(y))
