"""Redness and tone of skin, of light that a reference card has calibrated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.skin.light import LUMINANCE, to_lab
from moodify.skin.measure import HIGHEST, LOWEST, Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_PIXELS: Final = 200
_REDDEST: Final = 60.0
"""Erythema index that gives 100: four times as much red light as green."""
_NO_SKIN: Final = "the colours are not those of skin; hold the card in the same light as your face"


def skin_light(light: NDArray[np.floating[Any]]) -> NDArray[np.float64] | None:
    """Return the typical light (3,) of calibrated pixels of skin (pixels, 3), or None where they are too few.

    The mean of the pixels between the quartiles of luminance: a median of 8-bit pixels would move in steps.
    """
    if len(light) < MIN_PIXELS:
        return None
    luminance = light @ LUMINANCE
    low, high = np.quantile(luminance, (0.25, 0.75))
    return np.asarray(light[(luminance >= low) & (luminance <= high)].mean(axis=0), np.float64)


def redness(skin: NDArray[np.float64]) -> Measure:
    """Return the erythema index on a scale from 0 (as much green light as red) to 100 (four times as much red).

    Blood takes green light and leaves red, so 100 log10(red / green) grows with it (Diffey, Oliver and Farr, "A portable instrument for
    quantifying erythema", British Journal of Dermatology 111, 1984, there of reflectances at 546 and 671 nm; Takiwaki, "Measurement of
    skin color", Journal of Medical Investigation 44, 1998, on cameras). As a ratio it is free of shading. Melanin takes more
    green than red too: it grows with a tan, and must not be compared between people.

    Args:
        skin: calibrated light (3,).
    """
    red, green = float(skin[0]), float(skin[1])
    if red <= 0 or green <= 0:
        return Measure.missing(_NO_SKIN)
    index = 100 * math.log10(red / green)
    return Measure.of(100 * index / _REDDEST) if 0 <= index <= _REDDEST else Measure.missing(_NO_SKIN)


def typology_angle(skin: NDArray[np.float64]) -> float | None:
    """Return the individual typology angle in degrees, from -90 (dark) to 90 (light), or None where the colour is not yellow enough for skin.

    Chardon, Cretois and Hourseau, "Skin colour typology and suntanning pathways", International Journal of Cosmetic Science 13, 1991:
    atan((L* - 50) / b*).
    """
    lightness, _, yellow = (float(value) for value in to_lab(skin))
    return math.degrees(math.atan2(lightness - 50, yellow)) if yellow > 0 else None


def tone(skin: NDArray[np.float64]) -> Measure:
    """Return the individual typology angle on a scale from 0 (-90 degrees, dark) to 100 (90 degrees, light); 50 is 0 degrees."""
    angle = typology_angle(skin)
    return Measure.missing(_NO_SKIN) if angle is None else Measure.of(min(max((angle + 90) / 1.8, LOWEST), HIGHEST))
