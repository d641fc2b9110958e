"""Whether a face can be judged at all, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2

from moodify.types import NotJudged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moodify.config.model import VisionConfig
    from moodify.types import Box, Landmarks


_ROUNDING: Final = 20 / 12
"""What rounding to whole grey levels adds to the variance of the Laplacian: 1/12 times the kernel's sum of squares."""


def yaw(landmarks: Landmarks) -> float:
    """Return how far the nose lies off the middle of the eyes, along the line between them, in halves of their distance.

    0 is a face that looks straight on, 1 a nose before an eye: a profile. Infinite where the eyes are in one place.
    """
    right, left, nose = (complex(*point) for point in (landmarks.right_eye, landmarks.left_eye, landmarks.nose))
    eyes = left - right
    if eyes == 0:
        return float("inf")
    along = ((nose - (right + left) / 2) * eyes.conjugate()).real / abs(eyes)
    return 2 * abs(along) / abs(eyes)


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Return the fine detail of a grey crop (side, side): the variance of its Laplacian over that of its brightness.

    The variance of the Laplacian is the measure of Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000;
    divided by the contrast, it does not take a dim face for a blurred one. On validation faces that were made small or blurred,
    emotions are read worse by more than three points below about 0.03.
    """
    _, detail = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))
    _, contrast = cv2.meanStdDev(crop)
    return max(0.0, float(detail[0, 0]) ** 2 - _ROUNDING) / (float(contrast[0, 0]) ** 2 + 1)


class QualityGate:
    """The thresholds of the configuration, applied to one face."""

    def __init__(self, config: VisionConfig) -> None:
        self._config = config

    def of_place(self, box: Box, landmarks: Landmarks) -> NotJudged | None:
        """Return what speaks against a face before it is cut out, or None.

        Args:
            box: in pixels of the sharpest stream.
            landmarks: in any scale.
        """
        if min(box.width, box.height) < self._config.min_face_px:
            return NotJudged.TOO_SMALL
        if yaw(landmarks) > self._config.max_yaw:
            return NotJudged.TURNED_AWAY
        return None

    def of_crop(self, crop: NDArray[np.uint8]) -> NotJudged | None:
        """Return what speaks against an aligned grey crop (side, side), or None."""
        brightness = cv2.mean(crop)[0] / 255
        if brightness < self._config.min_brightness:
            return NotJudged.TOO_DARK
        if brightness > self._config.max_brightness:
            return NotJudged.TOO_BRIGHT
        if sharpness(crop) < self._config.min_sharpness:
            return NotJudged.BLURRED
        return None
