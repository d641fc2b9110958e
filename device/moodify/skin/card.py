"""The reference card: what lies where on it, in millimetres from its top left corner, and in which colour it is printed.

It is an A6 card. Four ArUco markers (Garrido-Jurado et al., "Automatic generation and detection of highly reliable fiducial markers
under occlusion", Pattern Recognition 47, 2014) say where it is and which print it is; greys stand along both long edges, in opposite
order, so that light that falls unevenly shows; colours stand between them, skin's own among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from moodify.skin.light import to_light

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION: Final = 1
WIDTH_MM: Final = 148.0
HEIGHT_MM: Final = 105.0
MARKER_MM: Final = 21.0
"""Six modules of 3.5 mm: more than three pixels each where the eyes, some 63 mm apart, are 60 pixels apart."""
MARKER_MODULES: Final = 6
"""Four by four bits in a black border of one."""
PATCH_MM: Final = 14.0
PRINTS: Final = 12
"""How many prints can be told apart: four of the dictionary's 50 markers make one."""
_MARGIN_MM: Final = 6.0
"""White around the markers, without which they are not found."""
_PITCH_MM: Final = 16.0
_EDGES_MM: Final = (9.5, 81.5)
"""Top of the patches in the two rows of greys, level with the markers."""
_ROWS_MM: Final = (36.5, 54.5)

GREYS: Final = ((243, 243, 243), (200, 200, 200), (160, 160, 160), (118, 118, 118), (70, 70, 70))
"""sRGB. Black is left out: a home printer's is anything from 30 to 60."""
COLOURS: Final = (
    ((244, 214, 192), (228, 186, 157), (203, 153, 121), (173, 120, 88), (141, 91, 64), (110, 68, 48), (216, 120, 112), (150, 70, 66)),
    ((190, 60, 60), (80, 140, 80), (60, 80, 150), (225, 195, 70), (185, 90, 145), (60, 140, 160), (220, 130, 60), (120, 110, 170)),
)
"""sRGB: skin from light to dark and two reddened ones, then what spans the colours of cameras; none so saturated that a home printer can't print it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of one colour."""

    x_mm: float
    y_mm: float
    srgb: tuple[int, int, int]
    grey: bool


def marker_ids(print_number: int) -> tuple[int, int, int, int]:
    """Return the markers' numbers in DICT_4X4_50: top left, top right, bottom right, bottom left.

    Raises:
        ValueError: there is no such print.
    """
    if not 0 <= print_number < PRINTS:
        raise ValueError(f"there is no print {print_number}: they count from 0 to {PRINTS - 1}")
    first = 4 * print_number
    return first, first + 1, first + 2, first + 3


def marker_corners_mm() -> NDArray[np.float32]:
    """Return the corners of the four markers, each clockwise from its top left: (4, 4, 2)."""
    left, top, right, bottom = _MARGIN_MM, _MARGIN_MM, WIDTH_MM - _MARGIN_MM - MARKER_MM, HEIGHT_MM - _MARGIN_MM - MARKER_MM
    square = np.array(((0, 0), (MARKER_MM, 0), (MARKER_MM, MARKER_MM), (0, MARKER_MM)))
    return np.array([square + corner for corner in ((left, top), (right, top), (right, bottom), (left, bottom))], np.float32)


def _row(y_mm: float, colours: tuple[tuple[int, int, int], ...], *, grey: bool) -> tuple[Patch, ...]:
    first = (WIDTH_MM - _PITCH_MM * len(colours) + _PITCH_MM - PATCH_MM) / 2
    return tuple(Patch(first + _PITCH_MM * column, y_mm, srgb, grey) for column, srgb in enumerate(colours))


PATCHES: Final = (
    *_row(_EDGES_MM[0], GREYS, grey=True),
    *_row(_EDGES_MM[1], GREYS[::-1], grey=True),
    *(patch for y_mm, colours in zip(_ROWS_MM, COLOURS, strict=True) for patch in _row(y_mm, colours, grey=False)),
)
IS_GREY: Final = np.array([patch.grey for patch in PATCHES])


def patch_light() -> NDArray[np.float32]:
    """Return the light that each of :data:`PATCHES` gives back of white light: (patches, 3)."""
    return to_light(np.array([patch.srgb for patch in PATCHES], np.uint8))


def patch_corners_mm(inset_mm: float) -> NDArray[np.float32]:
    """Return the corners of the patches, clockwise from the top left, moved inwards: (patches, 4, 2)."""
    side = PATCH_MM - 2 * inset_mm
    square = np.array(((0, 0), (side, 0), (side, side), (0, side))) + inset_mm
    return np.array([square + np.array((patch.x_mm, patch.y_mm)) for patch in PATCHES], np.float32)
