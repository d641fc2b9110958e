"""Pixels as light, and light as people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _linear() -> NDArray[np.float32]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)  # noqa: PLR2004 - the standard's


LINEAR: Final = _linear()
"""IEC 61966-2-1: sRGB to light."""

_TO_XYZ: Final = np.array(((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041)))
"""IEC 61966-2-1, linear sRGB to CIE XYZ under D65."""
_WHITE: Final = _TO_XYZ.sum(axis=1)
LUMINANCE: Final = _TO_XYZ[1]
_CUBE: Final = (6 / 29) ** 3


def to_light(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return sRGB pixels as light, 1 being white; of the same shape."""
    return LINEAR[pixels]


def to_pixels(light: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return light as sRGB pixels; what is below black or above white is cut off."""
    light = np.clip(light, 0, 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004 - the standard's
    return np.asarray(np.rint(255 * value), np.uint8)


def to_lab(light: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return linear sRGB (…, 3) as CIE L*a*b* under D65 (CIE 15:2004)."""
    ratio = np.maximum(light, 0) @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > _CUBE, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack((116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])), axis=-1)
