"""Pictures brought into their order, and to the sizes that a :class:`~moodify.types.Frame` carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from moodify.types import Image, PixelLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that puts ``face2.png`` before ``face10.png``."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part.casefold()) for part in re.split(r"(\d+)", name) if part)


def fitted(size: tuple[int, int], within: tuple[int, int]) -> tuple[int, int]:
    """Return the largest (width, height) of the same aspect that fits ``within``; never larger than ``size``."""
    scale = min(within[0] / size[0], within[1] / size[1], 1.0)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def frame_images(rgb: NDArray[np.uint8], within: tuple[int, int], detail_width: int) -> tuple[Image, Image | None]:
    """Return what detection sees and, where the picture has more pixels than that, the detail for crops of faces.

    Args:
        rgb: uint8 (height, width, 3), of any size.
        within: largest width and height of the detection image, whose aspect is the picture's.
        detail_width: largest width of the detail; its height is bounded in the same proportion.
    """
    size = (int(rgb.shape[1]), int(rgb.shape[0]))
    small = fitted(size, within)
    large = fitted(size, (detail_width, max(1, round(detail_width * within[1] / within[0]))))
    detail = rgb_image(rgb, large)
    if small == large:
        return detail, None
    return rgb_image(detail.pixels, small), detail


def rgb_image(rgb: NDArray[np.uint8], size: tuple[int, int]) -> Image:
    """Return RGB pixels scaled down to (width, height), read-only."""
    if (rgb.shape[1], rgb.shape[0]) != size:
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    pixels = rgb.view()
    pixels.setflags(write=False)
    return Image(pixels, PixelLayout.RGB)
