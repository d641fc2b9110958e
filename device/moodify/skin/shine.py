"""How much of a region of skin shines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.skin.light import LINEAR
from moodify.skin.measure import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moodify.skin.calibration import Calibration

MIN_PIXELS: Final = 200
"""Below it one pixel is more than half a percent."""
_BRIGHTER: Final = 1.2
_PALER: Final = 0.9
"""Light skin to which a mirror adds white light until it is 1.2 times as bright keeps about 0.9 of its saturation: both limits are met together."""
TYPICAL: Final = 0.3
"""Of white: light to medium skin."""
_FAINT: Final = (_BRIGHTER - 1) * TYPICAL
"""Of white. What is fainter can't be told on light skin, so it is not counted on dark skin either, where white is known."""
_DARK: Final = 0.01
_BRIGHT: Final = 0.6
"""Of a region's darker quarter, linear, 1 being white: at 0.01, sRGB 25, one step is 8 % of brightness; above 0.6, sRGB 203, the lit side of
a curved region, up to 1.6 times as bright, runs into white and looks pale without a highlight."""
_COLOURLESS: Final = 0.12
"""A saturation below which a tenth of it is within the rounding of 8 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Highlights:
    """Where and how much a region mirrors the light."""

    where: NDArray[np.bool_]
    """(height, width): the pixels of the region that shine."""
    share: float
    """Of the region's pixels, from 0 to 1."""
    gloss: float
    """Light that the highlights add, averaged over the region, in parts of white: share times strength."""


def highlights(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], calibration: Calibration | None = None) -> Highlights | Measure:
    """Return the highlights of a region, or a measure that is missing and says why.

    Skin gives back two lights (the dichromatic model of Shafer, "Using color to separate reflection components", Color Research and
    Application 10, 1985): one from its depth, in its own colour, and one mirrored at its surface, in the colour of the lamp. Where the
    second joins the first, skin is brighter *and* paler; shape and shadow change its brightness alone. So a pixel counts where it is
    1.2 times as bright as the region's darker quarter and has 0.9 of the saturation of its more saturated quarter. Quartiles, not medians,
    so that up to three quarters of a region may shine. As both are ratios of light, exposure cancels out.

    The same film of oil shines more on dark skin, whose own light is less, and any share depends on the lamp: compare a person with
    themselves under the same light, never people with one another.

    Args:
        pixels: uint8 RGB (height, width, 3), sRGB.
        mask: bool (height, width), the region.
        calibration: of a reference card in view. With it white is known: the lamp's colour cancels out, and gloss is the film's own. Without it the
            skin is taken for one that gives back :data:`TYPICAL` of white, so that gloss grows with the darkness of the skin.

    Raises:
        ValueError: the two do not fit one another.
    """
    if pixels.shape != (*mask.shape, 3):
        raise ValueError(f"pixels of shape {pixels.shape} and a mask of shape {mask.shape} do not belong together")
    if np.count_nonzero(mask) < MIN_PIXELS:
        return Measure.missing("too few pixels of the face; come closer")
    light = _smoothed(LINEAR[pixels], mask)
    brightness, most = light.mean(axis=1), light.max(axis=1)
    saturation = 1 - light.min(axis=1) / np.maximum(most, LINEAR[1])
    if np.quantile(most, 0.25) > _BRIGHT:
        return Measure.missing("the picture is too bright; turn away from the light")
    own_brightness, own_saturation = np.quantile(brightness, 0.25), np.quantile(saturation, 0.75)
    if own_brightness < _DARK:
        return Measure.missing("the picture is too dark; turn on a light")
    if own_saturation < _COLOURLESS:
        return Measure.missing("the picture has no colour; use a colour camera and white light")
    if calibration is not None:
        light = calibration.corrected(light).astype(np.float32)
        brightness, most = light.mean(axis=1), light.max(axis=1)
        saturation = 1 - light.min(axis=1) / np.maximum(most, LINEAR[1])
        own_brightness, own_saturation = np.quantile(brightness, 0.25), np.quantile(saturation, 0.75)
    white = TYPICAL / own_brightness if calibration is None else 1.0
    added = white * (brightness - own_brightness)
    shining = (brightness > _BRIGHTER * own_brightness) & (saturation < _PALER * own_saturation) & (added > _FAINT)
    where = np.zeros_like(mask)
    where[mask] = shining
    return Highlights(where, float(shining.mean()), float((added * shining).mean()))


def _smoothed(light: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the region's light (pixels, 3), averaged over 3 by 3 pixels of the region, as noise would pale some and lift others."""
    inside = mask.astype(np.float32)
    total = cv2.boxFilter(light * inside[..., None], -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    count = cv2.boxFilter(inside, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    smoothed: NDArray[np.float32] = total[mask] / count[mask][:, None]
    return smoothed
