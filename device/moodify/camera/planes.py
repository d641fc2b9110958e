"""Camera buffers with padded rows, made into the tight planes that an :class:`~moodify.types.Image` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moodify.types import Image, PixelLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unpack_planes(buffer: NDArray[np.uint8], layout: PixelLayout, size: tuple[int, int], stride: int) -> Image:
    """Copy a YUV 4:2:0 buffer without the padding of its rows.

    Args:
        buffer: uint8 bytes, flat: the Y plane of ``stride`` bytes a row; then for I420 the U and V planes of half that,
            for NV12 one plane of ``stride`` bytes a row with U and V interleaved. More bytes after them are left out.
        layout: I420 or NV12.
        size: width and height in pixels, both even.
        stride: bytes from one row of Y to the next.

    Raises:
        ValueError: the buffer is too short, the size odd, or the layout another.
    """
    width, height = size
    if width % 2 or height % 2 or stride < width:
        raise ValueError(f"{width}x{height} with a stride of {stride} is no YUV 4:2:0 picture")
    if buffer.size < stride * height * 3 // 2:
        raise ValueError(f"{buffer.size} bytes are too few for {width}x{height} with a stride of {stride}")
    luma = buffer[: stride * height].reshape(height, stride)[:, :width]
    chroma = buffer[stride * height : stride * height * 3 // 2]
    pixels = np.empty((height * 3 // 2, width), np.uint8)
    pixels[:height] = luma
    if layout is PixelLayout.NV12:
        pixels[height:] = chroma.reshape(height // 2, stride)[:, :width]
    elif layout is PixelLayout.I420:
        # U's rows, then V's: each of half the width, so two of them fill a row of the picture.
        pixels[height:] = chroma.reshape(height, stride // 2)[:, : width // 2].reshape(height // 2, width)
    else:
        raise ValueError(f"{layout} is not YUV 4:2:0")
    return Image(pixels, layout)
