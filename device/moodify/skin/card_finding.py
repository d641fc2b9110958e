"""The reference card in a picture: where it is, and what its colours say about camera and lamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.skin.calibration import Calibration, calibrate
from moodify.skin.card import PRINTS, marker_corners_mm, marker_ids, patch_corners_mm
from moodify.skin.light import to_light

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_CARD: Final = "no reference card in view; print one and hold it beside your face"
_MIN_MARKERS: Final = 3
"""A thumb may lie on the fourth."""
_MAX_ERROR: Final = 0.06
"""Of the markers' corners against a plane, in sides of a marker, besides a pixel: beyond it the card is bent."""
_INSET_MM: Final = 3.5
"""Half of a patch's side is looked at: its edges are mixed with the paper by the lens."""
_MIN_PATCH_PX: Final = 16
_FRACTION_BITS: Final = 4


@dataclass(frozen=True, slots=True)
class CardInView:
    """A card that was found and can be used."""

    print_number: int
    calibration: Calibration


def find_card(pixels: NDArray[np.uint8]) -> CardInView | str:
    """Return the card, or the reason why there is none that can be used, for a person.

    Args:
        pixels: uint8 RGB (height, width, 3).
    """
    seen = _markers(pixels)
    if seen is None:
        return NO_CARD
    print_number, corners_mm, corners_px = seen
    plane = _plane(corners_mm, corners_px)
    if plane is None:
        return "the reference card is bent or seen from its edge; hold it flat towards the camera"
    patches_px = _through(plane, patch_corners_mm(_INSET_MM))
    seen_light = [_median_light(pixels, patch) for patch in patches_px]
    if any(light is None for light in seen_light):
        return "the reference card is too small or partly outside the picture; hold it beside your face and come closer"
    fitted = calibrate(np.array(seen_light))
    return fitted if isinstance(fitted, str) else CardInView(print_number, fitted)


def _markers(pixels: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32], NDArray[np.float32]] | None:
    """Return the print with most markers in view, where their corners lie on the card and where in the picture, each (markers, 4, 2)."""
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    # With OpenCV's own values a blur of a quarter of a module is too much: look at the middles of the modules, and at windows as wide as a marker.
    settings.adaptiveThreshWinSizeMin, settings.adaptiveThreshWinSizeMax, settings.adaptiveThreshWinSizeStep = 5, 65, 12
    settings.perspectiveRemovePixelPerCell, settings.perspectiveRemoveIgnoredMarginPerCell = 8, 0.3
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), settings)
    corners, numbers, _ = detector.detectMarkers(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    # OpenCV counts from the centre of the first pixel, points from its corner.
    numbered = np.atleast_1d(np.asarray(numbers)).ravel() if corners else ()
    found = {int(number): np.asarray(where)[0] + 0.5 for number, where in zip(numbered, corners, strict=True)}
    best = max(range(PRINTS), key=lambda number: len(found.keys() & set(marker_ids(number))))
    places = [index for index, number in enumerate(marker_ids(best)) if number in found]
    if len(places) < _MIN_MARKERS:
        return None
    return best, marker_corners_mm()[places], np.array([found[marker_ids(best)[index]] for index in places], np.float32)


def _plane(corners_mm: NDArray[np.float32], corners_px: NDArray[np.float32]) -> NDArray[Any] | None:
    """Return the homography from the card to the picture by the markers that lie in one plane: all, or all but one that was found wrongly."""
    side_px = float(np.linalg.norm(np.roll(corners_px, -1, axis=1) - corners_px, axis=2).mean())
    count = len(corners_mm)
    for left_out in (None, *range(count if count > _MIN_MARKERS else 0)):
        used = [index for index in range(count) if index != left_out]
        # None where the corners are on a line, which OpenCV's own types deny.
        plane: Any = cv2.findHomography(corners_mm[used].reshape(-1, 2), corners_px[used].reshape(-1, 2))[0]
        if plane is not None and np.linalg.norm(_through(plane, corners_mm[used]) - corners_px[used], axis=2).max() <= _MAX_ERROR * side_px + 1:
            return np.asarray(plane)
    return None


def _through(plane: NDArray[Any], points: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.perspectiveTransform(points.reshape(-1, 1, 2), plane), np.float32).reshape(points.shape)


def _median_light(pixels: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the median light (3,) inside four corners, or None where too little of them lies in the picture."""
    height, width = pixels.shape[:2]
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    if (low < 0).any() or high[0] > width or high[1] > height:
        return None
    drawn = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(drawn, [np.rint((corners - low - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)], (1,), shift=_FRACTION_BITS)
    inside = pixels[low[1] : high[1], low[0] : high[0]][drawn.astype(np.bool_)]
    return None if len(inside) < _MIN_PATCH_PX else np.median(to_light(inside), axis=0)
