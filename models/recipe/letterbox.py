"""How a picture is fitted into the detector's input, exactly as the appliance does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from recipe.detector import HEIGHT, WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

PADDING = 114
"""Grey on the right and below, where the picture does not reach."""


def letterbox(pixels: NDArray[np.uint8], most: float | None = None) -> tuple[NDArray[np.uint8], float]:
    """The detector's input ``[256, 320, 3]`` for RGB ``pixels``, and the factor from the picture's pixels to the input's: at most ``most``."""
    height, width = pixels.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height, *(() if most is None else (most,)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.full((HEIGHT, WIDTH, 3), PADDING, np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=how)
    return canvas, scale
