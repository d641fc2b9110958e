"""Pictures from files, and pixels made to the sizes that a :class:`~moodify.types.Frame` carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from moodify.errors import PictureError
from moodify.types import Image, PixelLayout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: File names that are taken for pictures in a folder.
PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

_PNG = b"\x89PNG\r\n\x1a\n"


def load_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture file, turned upright as its EXIF data says.

    Returns:
        RGB pixels, uint8 (height, width, 3).

    Raises:
        PictureError: missing, unreadable, empty, not a picture, or cut short.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} can't be read ({error.strerror}); check the path and its permissions") from error
    if not data:
        raise PictureError(f"{path} is empty; give a JPEG, PNG or another picture")
    if data.startswith(_PNG):
        data = _png_without_profile(data)
    if not data or _jpeg_cut_short(data):
        raise PictureError(f"{path} is cut short; copy the picture again")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"{path} can't be decoded ({error.err}); give a JPEG, PNG or another picture of usual size") from error
    if bgr is None:
        raise PictureError(f"{path} is not a picture that can be read; give a JPEG, PNG or another picture")
    return np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)


def _png_without_profile(data: bytes) -> bytes:
    """Return a PNG without its colour profile, or nothing when its end is missing, which decoders fill up with grey.

    OpenCV pays no heed to profiles, but libpng prints its opinion of a wrong one straight to stderr.
    """
    kept, place = [_PNG], len(_PNG)
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if kind != b"iCCP":
            kept.append(data[place:end])
        if kind == b"IEND":
            return b"".join(kept)
        place = end
    return b""


def _jpeg_cut_short(data: bytes) -> bool:
    """Whether this is a JPEG whose end is missing, which decoders fill up with grey instead of refusing it."""
    if not data.startswith(b"\xff\xd8"):
        return False
    marker, start_of_scan, end_of_image = 0xFF, 0xDA, b"\xff\xd9"
    # ITU T.81 B.1: walk the header's segments to the scan, for a thumbnail inside them has an end of its own.
    place = 2
    while place + 4 <= len(data) and data[place] == marker:
        if data[place + 1] == marker:
            place += 1
            continue
        if data[place + 1] == start_of_scan:
            return data.find(end_of_image, place) < 0
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return True


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
