"""Light and lens of a scene: colour, exposure, noise, blur."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from recipe.chance import chance

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GRAIN_SIGMA = 64
_GRAIN = np.random.default_rng(0).normal(0, _GRAIN_SIGMA, (512, 576, 3)).astype(np.int16)
"""Sensor noise, drawn once: a scene takes a random part of it."""
_AS_IT_IS = 0.35
"""Share of the scenes whose light and lens are left alone: most rooms are lit well enough."""


def coloured(grey: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Colour a grey picture ``[H, W, 3]``: a map from brightness to three colours, or patches of tint."""
    if chance(rng, 0.5):
        knots = np.sort(rng.uniform(0, 255, 4))
        colours = np.clip(knots[:, None] + rng.normal(0, 35, (4, 3)), 0, 255)
        table = np.stack([np.interp(np.arange(256), knots, colours[:, c]) for c in range(3)], axis=-1)
        return np.asarray(cv2.LUT(grey, table[None].astype(np.uint8)), np.uint8)
    height, width = grey.shape[:2]
    tint = np.clip(rng.normal(160, 45, (int(rng.integers(1, 5)), int(rng.integers(1, 5)), 3)), 40, 255).astype(np.uint8)
    field = cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR if chance(rng, 0.7) else cv2.INTER_NEAREST)
    return np.asarray(cv2.multiply(grey, field, scale=1 / 160), np.uint8)


def relit(canvas: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The canvas ``[H, W, 3]`` under another light and through another lens."""
    if chance(rng, 0.25):
        canvas = np.asarray(cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    if chance(rng, _AS_IT_IS):
        return canvas
    if chance(rng, 0.12):
        canvas = _soft(canvas, rng)
    canvas = np.asarray(cv2.LUT(canvas, _curve(rng)[None]), np.uint8)
    if chance(rng, 0.12):
        canvas = _lamp(canvas, rng)
    if chance(rng, 0.25):
        y, x = rng.integers(0, _GRAIN.shape[0] - canvas.shape[0]), rng.integers(0, _GRAIN.shape[1] - canvas.shape[1])
        grain = np.ascontiguousarray(_GRAIN[y : y + canvas.shape[0], x : x + canvas.shape[1]])
        canvas = np.asarray(cv2.addWeighted(canvas, 1.0, grain, rng.uniform(2, 14) / _GRAIN_SIGMA, 0, dtype=cv2.CV_8U), np.uint8)
    if chance(rng, 0.08):
        quality = int(rng.integers(25, 80))
        _, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, quality])
        canvas = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return canvas


def _curve(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A table ``[256, 3]`` of gamma, contrast, brightness and white balance."""
    level = np.linspace(0.0, 1.0, 256)[:, None]
    level = level ** np.exp(rng.normal(0.0, 0.3))
    level = (level - 0.5) * np.exp(rng.normal(0.0, 0.2)) + 0.5 + rng.normal(0.0, 0.06)
    if chance(rng, 0.5):
        level = level * np.exp(rng.normal(0.0, 0.12, 3))
    if chance(rng, 0.1):
        level = level * rng.uniform(0.15, 0.5)
    return np.asarray(np.clip(np.broadcast_to(level, (256, 3)) * 255, 0, 255), np.uint8)


def _soft(canvas: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Out of focus, or a coarser sensor."""
    if chance(rng, 0.5):
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 1.4)), np.uint8)
    height, width = canvas.shape[:2]
    share = rng.uniform(0.5, 0.9)
    small = cv2.resize(canvas, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _lamp(canvas: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light from one side."""
    height, width = canvas.shape[:2]
    corners = rng.uniform(60, 255, (2, 2)).astype(np.uint8)
    field = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(canvas, cv2.merge([field] * 3), scale=1 / 190), np.uint8)
