"""How good the light on a face is for looking at its skin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from moodify.skin.light import LUMINANCE, to_light
from moodify.skin.regions import Region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_DARK: Final = (0.01, 0.04)
"""Luminance of the skin: at 0.01, sRGB 25, a step of 8 bits is 8 % of light; from 0.04, sRGB 56, 4 %. Dark skin in good light has about 0.05."""
_BRIGHT: Final = (0.55, 0.7)
_UNEVEN: Final = (0.35, 0.7)
"""Of the darker cheek's light to the other's."""
_CUT_OFF: Final = 0.1
"""Share of the skin in pure white or black at which the light is no good; shine alone is less."""


@dataclass(frozen=True, slots=True)
class Lighting:
    """Light on a face, each from 0 (no good) to 1 (good)."""

    bright_enough: float
    not_too_bright: float
    even: float
    """Between the two cheeks."""
    not_cut_off: float
    """Free of pure white and black."""

    @property
    def quality(self) -> float:
        """All of them together, from 0 to 1: the worst one rules."""
        return min(self.bright_enough, self.not_too_bright, self.even, self.not_cut_off)


def lighting(face: NDArray[np.uint8], masks: Mapping[Region, NDArray[np.bool_]]) -> Lighting:
    """Return how good the light is.

    Args:
        face: uint8 RGB (height, width, 3), sRGB.
        masks: the regions, bool (height, width); without any, no light is good.
    """
    medians = {region: float(np.median(to_light(face[inside]) @ LUMINANCE)) for region, inside in masks.items() if inside.any()}
    if not medians:
        return Lighting(0.0, 0.0, 0.0, 0.0)
    skin = np.concatenate([face[inside] for inside in masks.values()])
    cut_off = float(np.mean((skin.max(axis=1) == 255) | (skin.max(axis=1) == 0)))  # noqa: PLR2004 - white of 8 bits
    cheeks = [medians[region] for region in (Region.RIGHT_CHEEK, Region.LEFT_CHEEK) if region in medians]
    typical = float(np.median(list(medians.values())))
    return Lighting(
        bright_enough=_ramp(typical, *_DARK),
        not_too_bright=1 - _ramp(typical, *_BRIGHT),
        even=_ramp(min(cheeks) / max(*cheeks, 1e-6), *_UNEVEN) if len(cheeks) == 2 else 0.0,  # noqa: PLR2004 - both
        not_cut_off=1 - _ramp(cut_off, 0, _CUT_OFF),
    )


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
