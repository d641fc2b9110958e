"""Outlines of what is pasted, and round things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from recipe.chance import chance

if TYPE_CHECKING:
    from numpy.typing import NDArray


def outline(
    box: tuple[float, float, float, float],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """A mask ``[H, W]`` over ``box`` (x0, y0, x1, y1): a rectangle or an ellipse."""
    mask = np.zeros(shape[:2], np.uint8)
    x0, y0, x1, y1 = (round(float(v)) for v in box)
    if chance(rng, 0.5):
        cv2.rectangle(mask, (x0, y0), (x1, y1), (255.0,), -1)
    else:
        axes = (max(1, (x1 - x0) // 2), max(1, (y1 - y0) // 2))
        cv2.ellipse(mask, ((x0 + x1) // 2, (y0 + y1) // 2), axes, 0.0, 0.0, 360.0, (255.0,), -1)
    return mask


def badge(pixels: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Draw a button, patch or sign into ``pixels``: a rim with strokes and letters inside, which small faces resemble too."""
    height, width = pixels.shape[:2]
    centre = (int(rng.integers(width)), int(rng.integers(height)))
    radius = max(4, int(rng.uniform(0.15, 0.5) * min(height, width)))
    ground, rim = (tuple(float(c) for c in rng.uniform(0, 255, 3)) for _ in range(2))
    cv2.circle(pixels, centre, radius, ground, -1, cv2.LINE_AA)
    cv2.circle(pixels, centre, radius, rim, max(1, radius // 8), cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 5))):
        colour = tuple(float(c) for c in rng.uniform(0, 255, 3))
        a, b = (np.array(centre) + rng.uniform(-0.6, 0.6, (2, 2)) * radius).astype(int)
        if chance(rng, 0.5):
            cv2.line(pixels, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), colour, max(1, radius // 9), cv2.LINE_AA)
        else:
            text = "".join(chr(int(code)) for code in rng.integers(65, 91, 3))
            cv2.putText(pixels, text, (int(a[0]) - radius // 2, int(a[1])), cv2.FONT_HERSHEY_SIMPLEX, radius / 40, colour, max(1, radius // 14), cv2.LINE_AA)


def shaded(pixels: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Draw round things into ``pixels``: knobs, balls, lamps and buttons look most like faces."""
    height, width = pixels.shape[:2]
    base = rng.uniform(30, 225, 3)
    centre = (int(rng.integers(width)), int(rng.integers(height)))
    radius = max(3, int(rng.uniform(0.15, 0.5) * min(height, width)))
    for step in np.linspace(1.0, 0.1, 6):
        colour = tuple(float(c) for c in np.clip(base * (1.3 - 0.6 * step), 0, 255))
        cv2.circle(pixels, centre, max(1, int(radius * step)), colour, -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        spot = (centre[0] + int(rng.integers(-radius, radius + 1)), centre[1] + int(rng.integers(-radius, radius + 1)))
        dot = tuple(float(c) for c in rng.uniform(0, 255, 3))
        cv2.circle(pixels, spot, max(1, radius // int(rng.integers(3, 9))), dot, -1, cv2.LINE_AA)
