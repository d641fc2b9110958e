"""Grey and RGB pixels out of an image of any layout, with one resize and no copy that can be saved.

I420 and NV12 are read as BT.601 video range (luma 16 to 235), which is what OpenCV converts and what
cameras deliver for video; luma is widened to 0 to 255 only where it has already been made small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from moodify.types import Image, PixelLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moodify.types import Box

PADDING: Final = 114
"""Grey beside and below a letterboxed picture; the detector was trained with it."""

_SUBSAMPLED: Final = {PixelLayout.I420: cv2.COLOR_YUV2RGB_I420, PixelLayout.NV12: cv2.COLOR_YUV2RGB_NV12}
_WIDEN: Final = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)
"""Video range to full range, ITU-R BT.601."""


def luma_plane(image: Image) -> NDArray[np.uint8] | None:
    """Return a view (height, width) of the plane that holds brightness, in the layout's own range; None for RGB."""
    return None if image.layout is PixelLayout.RGB else image.pixels[: image.height]


def widen_luma(image: Image, luma: NDArray[np.uint8]) -> None:
    """Bring ``luma``, which was taken from ``image``, to the full range 0 to 255, in place."""
    if image.layout in _SUBSAMPLED:
        cv2.LUT(luma, _WIDEN, dst=luma)


def region_luma(image: Image, box: Box) -> tuple[NDArray[np.uint8], int, int]:
    """Return brightness that holds at least ``box``, in the layout's own range, and the x and y of its top left corner.

    A view of the whole plane where there is one; of RGB only the box is converted.
    """
    plane = luma_plane(image)
    if plane is not None:
        return plane, 0, 0
    x0, y0 = (min(max(int(value), 0), size - 1) for value, size in ((box.x0, image.width), (box.y0, image.height)))
    x1, y1 = max(x0 + 1, int(np.ceil(box.x1))), max(y0 + 1, int(np.ceil(box.y1)))
    return np.asarray(cv2.cvtColor(image.pixels[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY), np.uint8), x0, y0


class Part:
    """Cuts parts out of images: views where pixels lie together, else into a buffer of its own."""

    def __init__(self) -> None:
        self._buffer = np.empty((0, 0), np.uint8)

    def of(self, image: Image, box: Box) -> tuple[Image, int, int]:
        """Return the part of ``image`` inside ``box``, and the x and y of its top left corner.

        Its sides are rounded so that every plane of the layout can be cut there. Valid until the next call.
        """
        x0, y0 = int(max(box.x0, 0)) // 2 * 2, int(max(box.y0, 0)) // 2 * 2
        width, height = (int(min(box.x1, image.width)) - x0) // 2 * 2, (int(min(box.y1, image.height)) - y0) // 4 * 4
        if image.layout not in _SUBSAMPLED:
            return Image(image.pixels[y0 : y0 + height, x0 : x0 + width], image.layout), x0, y0
        if self._buffer.shape != (height * 3 // 2, width):
            self._buffer = np.empty((height * 3 // 2, width), np.uint8)
        self._buffer[:height] = image.pixels[y0 : y0 + height, x0 : x0 + width]
        colour, rows = image.pixels[image.height :], slice(y0 // 2, (y0 + height) // 2)
        if image.layout is PixelLayout.NV12:
            self._buffer[height:] = colour[rows, x0 : x0 + width]
        else:
            planes = colour.reshape(2, image.height // 2, image.width // 2)
            self._buffer[height:].reshape(2, height // 2, width // 2)[:] = planes[:, rows, x0 // 2 : (x0 + width) // 2]
        return Image(self._buffer, image.layout), x0, y0


class SmallLuma:
    """Shrinks the brightness of images into a buffer of its own."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._grey = np.empty((height, width), np.uint8)
        self._rgb = np.empty((height, width, 3), np.uint8)

    def of(self, image: Image) -> NDArray[np.uint8]:
        """Return the brightness (height, width), 0 to 255; the same buffer at every call."""
        plane = luma_plane(image)
        if plane is None:
            cv2.resize(image.pixels, self._size, dst=self._rgb, interpolation=cv2.INTER_AREA)
            cv2.cvtColor(self._rgb, cv2.COLOR_RGB2GRAY, dst=self._grey)
        else:
            cv2.resize(plane, self._size, dst=self._grey, interpolation=cv2.INTER_AREA)
            widen_luma(image, self._grey)
        return self._grey


class Letterbox:
    """Fits images into a canvas of a fixed size: aspect kept, top left anchored, the rest :data:`PADDING`."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._canvas = np.full((height, width, 3), PADDING, np.uint8)
        self._filled = (width, height)
        self._full: NDArray[np.uint8] | None = None

    def fit(self, image: Image, most: float | None = None) -> tuple[NDArray[np.uint8], float]:
        """Return the canvas RGB (height, width, 3), the same at every call, and the factor from the image's pixels to the canvas's: at most ``most``."""
        scale = min(self.size[0] / image.width, self.size[1] / image.height)
        if most is not None:
            scale = min(scale, most)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        if size != self._filled:
            self._canvas[:] = PADDING
            self._filled = size
        inside = self._canvas[: size[1], : size[0]]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        if image.layout is PixelLayout.GREY:
            grey = image.pixels if size == (image.width, image.height) else cv2.resize(image.pixels, size, interpolation=how)
            cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB, dst=inside)
        elif image.layout is PixelLayout.RGB:
            cv2.resize(image.pixels, size, dst=inside, interpolation=how)
        elif size == (image.width, image.height):
            cv2.cvtColor(image.pixels, _SUBSAMPLED[image.layout], dst=inside)
        else:
            self._full = np.asarray(cv2.cvtColor(image.pixels, _SUBSAMPLED[image.layout], dst=self._full_size(image)), np.uint8)
            cv2.resize(self._full, size, dst=inside, interpolation=how)
        return self._canvas, scale

    def _full_size(self, image: Image) -> NDArray[np.uint8] | None:
        wanted = (image.height, image.width, 3)
        return self._full if self._full is not None and self._full.shape == wanted else None
