"""How coarse skin looks: fine contrast of its brightness, as pores, lines and roughness make it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.skin.light import LUMINANCE, to_light
from moodify.skin.measure import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_EYES_PX: Final = 120.0
"""Half a millimetre a pixel, as eyes are some 63 mm apart (Dodgson, "Variation and extrema of human interpupillary distance", SPIE 5291,
2004): with less, lines and larger pores are gone, and what would be measured is the camera's noise."""
_SCALES: Final = (1.5, 2.5, 4.0)
"""Of the Laplacian of Gaussian at :data:`MIN_EYES_PX`, in pixels: most sensitive to dots whose width is 2 sqrt(2) times as much, 2 to 6 mm."""
_REACH: Final = 6.0
"""Beyond it, in the same pixels, contrast is the face's shape and its shadows."""
_APART: Final = 2.0
"""Distance of the two pixels of a pair."""
_LEVELS: Final = 33
_STEP: Final = 0.01
"""Of the logarithm of light: 33 levels reach 16 % up and down."""
_HALF: Final = 0.04
"""Contrast, in parts of the skin's light, that gives 50; the scale's only free figure."""
_MIN_PIXELS: Final = 300
_DARK: Final = 0.004
_IMMERKAER: Final = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), np.float32)


def texture(pixels: NDArray[np.uint8], regions: list[NDArray[np.bool_]], eyes_px: float) -> Measure:
    """Return how coarse the skin of some regions looks.

    It is the mean of two measures of fine contrast of the logarithm of luminance, so that neither exposure nor the skin's tone scales
    it: the normalised Laplacian of Gaussian over three scales (Lindeberg, "Feature detection with automatic scale selection",
    International Journal of Computer Vision 30, 1998), and the contrast of the grey-level co-occurrence matrix (Haralick, Shanmugam and
    Dinstein, "Textural features for image classification", IEEE Transactions on Systems, Man, and Cybernetics 3, 1973). Noise is
    estimated (Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 1996) and what it adds is taken away.

    Args:
        pixels: uint8 RGB (height, width, 3), sRGB.
        regions: bool (height, width) each, without the pixels that shine.
        eyes_px: distance of the eyes.
    """
    if eyes_px < MIN_EYES_PX:
        return Measure.missing(f"too few pixels of the face ({eyes_px:.0f} between the eyes, {MIN_EYES_PX:.0f} wanted); come closer, or use a camera with more")
    scale = eyes_px / MIN_EYES_PX
    luminance = to_light(pixels) @ LUMINANCE.astype(np.float32)
    contrasts, weights = [], []
    for region in regions:
        flat = _flattened(luminance, region, scale)
        inner = _eroded(region, 1.5 * scale)
        if flat is None or np.count_nonzero(inner) < _MIN_PIXELS:
            continue
        noise = _noise_variance(flat, inner)
        contrasts.append((_blobs(flat, region, scale, noise) + _pairs(flat, inner, scale, noise)) / 2)
        weights.append(np.count_nonzero(inner))
    if not contrasts:
        return Measure.missing("too little skin without shine or shade; turn towards an even light")
    contrast = float(np.average(contrasts, weights=weights))
    return Measure.of(100 * contrast / (contrast + _HALF))


def _flattened(luminance: NDArray[np.float32], region: NDArray[np.bool_], scale: float) -> NDArray[np.float32] | None:
    """Return the logarithm of luminance less its local mean over the region; 0 outside it."""
    inside = region.astype(np.float32)
    if not region.any() or np.median(luminance[region]) < _DARK:
        return None
    logarithm = np.log(np.maximum(luminance, _DARK / 4)) * inside
    blur = _REACH * scale
    mean = cv2.GaussianBlur(logarithm, (0, 0), blur) / np.maximum(cv2.GaussianBlur(inside, (0, 0), blur), 1e-3)
    return np.asarray((logarithm - mean) * inside, np.float32)


def _eroded(region: NDArray[np.bool_], by_px: float) -> NDArray[np.bool_]:
    distance = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(distance > by_px)


def _noise_variance(flat: NDArray[np.float32], inner: NDArray[np.bool_]) -> float:
    """Return the variance of the noise, from a difference that flat and sloping light do not pass; robust against texture's tails."""
    difference = cv2.filter2D(flat, cv2.CV_32F, _IMMERKAER, borderType=cv2.BORDER_REFLECT)[inner]
    return (1.4826 * float(np.median(np.abs(difference))) / 6) ** 2


def _blobs(flat: NDArray[np.float32], region: NDArray[np.bool_], scale: float, noise: float) -> float:
    """Return the root mean square of the normalised Laplacian of Gaussian over the scales, less what noise adds."""
    energies = []
    for at_gate in _SCALES:
        sigma = at_gate * scale
        where = _eroded(region, 1.5 * sigma)
        if np.count_nonzero(where) < _MIN_PIXELS / 4:
            continue
        response = sigma**2 * cv2.Laplacian(cv2.GaussianBlur(flat, (0, 0), sigma), cv2.CV_32F)[where]
        # White noise of variance n leaves n / (2 pi sigma^2) of it: the integral of the squared kernel.
        energies.append(max(0.0, float(np.mean(response**2)) - noise / (2 * math.pi * sigma**2)))
    return math.sqrt(float(np.mean(energies))) if energies else 0.0


def _pairs(flat: NDArray[np.float32], inner: NDArray[np.bool_], scale: float, noise: float) -> float:
    """Return the root of the co-occurrence matrix's contrast over four directions, in parts of light, less what noise adds."""
    levels = np.clip(np.rint(flat / _STEP) + _LEVELS // 2, 0, _LEVELS - 1).astype(np.intp)
    apart = max(1, round(_APART * scale))
    contrasts = []
    for down, right in ((0, apart), (apart, 0), (apart, apart), (apart, -apart)):
        matrix = _cooccurrence(levels, inner, down, right)
        if matrix is not None:
            row, column = np.indices(matrix.shape)
            contrasts.append(float(((row - column) ** 2 * matrix).sum()))
    if not contrasts:
        return 0.0
    return math.sqrt(max(0.0, float(np.mean(contrasts)) * _STEP**2 - 2 * noise - _STEP**2 / 6))


def _cooccurrence(levels: NDArray[np.intp], inner: NDArray[np.bool_], down: int, right: int) -> NDArray[Any] | None:
    """Return how often each two levels lie ``down`` and ``right`` pixels apart within the region, summing to 1: (levels, levels)."""
    height, width = levels.shape
    here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
    there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
    both = inner[here] & inner[there]
    if not both.any():
        return None
    counts = np.bincount(levels[here][both] * _LEVELS + levels[there][both], minlength=_LEVELS**2)
    return np.asarray(counts.reshape(_LEVELS, _LEVELS) / counts.sum())
