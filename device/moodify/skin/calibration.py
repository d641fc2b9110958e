"""From what a camera made of the card's patches to what they are: a curve for each channel, then a matrix.

A power for each channel, fitted to the greys, takes out exposure, the lamp's colour, white balance and most of a camera's tone curve;
a 3 by 3 matrix, drawn towards doing nothing, takes out what is left of the camera's own primaries. On skin, linear maps from a chart
did better than polynomials (Vander Haeghen et al., "An imaging system with calibrated color image acquisition for use in dermatology",
IEEE Transactions on Medical Imaging 19, 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.skin.card import IS_GREY, patch_light
from moodify.skin.light import to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHITE: Final = 0.98
"""Light above which a channel is cut off: sRGB 253."""
_BLACK: Final = 0.002
_POWERS: Final = (0.6, 1.7)
"""Tone curves of cameras; beyond them something else is wrong."""
_MIN_GREYS: Final = 6
_RIDGE: Final = 0.02
"""How strongly the matrix is drawn towards doing nothing, in patches' worth of relative error."""
_DIM: Final = 0.03
"""Added to a patch's light before errors become relative, so that dark patches do not rule."""
MAX_DELTA_E: Final = 6.0
"""Median over the patches, CIE 1976: between a match that is seen at a second look and another colour."""
_UNEVEN: Final = 1.3
"""Median ratio of light between places of the same grey: more says that face and card can't be in one light."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What brings a camera's light to that of the card's print."""

    power: NDArray[np.float64]
    """(3,)."""
    gain: NDArray[np.float64]
    """(3,)."""
    matrix: NDArray[np.float64]
    """(3, 3)."""
    delta_e: float
    """Median difference that is left on the card's patches, CIE 1976."""

    def corrected(self, light: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return light (…, 3) as it would be under the card's white."""
        balanced = self.gain * np.maximum(light, 0) ** self.power
        return np.asarray(np.maximum(balanced @ self.matrix.T, 0))


def calibrate(seen: NDArray[np.floating[Any]]) -> Calibration | str:
    """Return the calibration, or the reason why the card can't be used, for a person.

    Args:
        seen: light of each patch of the card, in the order of the card: (patches, 3).
    """
    true = patch_light().astype(np.float64)
    usable = (seen.max(axis=1) < _WHITE) & (seen.min(axis=1) > _BLACK)
    greys = usable & IS_GREY
    if greys.sum() < _MIN_GREYS:
        return "the reference card is too bright; turn away from the light" if np.median(seen) > np.median(true) else "the reference card is too dark; turn on a light"
    # Top and bottom greys are the same in opposite order.
    rows = np.flatnonzero(IS_GREY).reshape(2, -1)
    both = usable[rows[0]] & usable[rows[1][::-1]]
    ratios = seen[rows[0]][both].mean(axis=1) / seen[rows[1][::-1]][both].mean(axis=1)
    if len(ratios) and np.exp(np.median(np.abs(np.log(ratios)))) > _UNEVEN:
        return "the reference card is lit unevenly; turn it away from lamp and shadow"
    fits = [np.polyfit(np.log(seen[greys, channel]), np.log(true[greys, channel]), 1) for channel in range(3)]
    power, gain = np.array([fit[0] for fit in fits]), np.exp([fit[1] for fit in fits])
    if not ((power > _POWERS[0]) & (power < _POWERS[1])).all():
        return "the reference card's greys are not as they should be; wipe it, hold it flat, or print a new one"
    balanced = gain * np.maximum(seen[usable], 0) ** power
    weight = 1 / (true[usable] + _DIM)
    matrix = np.array([_row(balanced * weight[:, [channel]], true[usable][:, channel] * weight[:, channel], np.eye(3)[channel]) for channel in range(3)])
    fitted = Calibration(power, gain, matrix, 0.0)
    delta_e = float(np.median(np.linalg.norm(to_lab(fitted.corrected(seen[usable])) - to_lab(true[usable]), axis=1)))
    if delta_e > MAX_DELTA_E:
        return "the reference card's colours are not as they should be; wipe it, turn it away from the lamp, or print a new one"
    return Calibration(power, gain, matrix, delta_e)


def _row(measured: NDArray[np.float64], wanted: NDArray[np.float64], nothing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a row of the matrix by least squares, drawn towards the one that changes nothing (ridge regression)."""
    strength = _RIDGE * len(measured)
    return np.asarray(np.linalg.solve(measured.T @ measured + strength * np.eye(3), measured.T @ wanted + strength * nothing))
