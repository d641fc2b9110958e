"""Street pictures whose people have taken off their masks.

Nearly every face with a street around it wears a mask in the data, so a network may learn that a face out there is a mask. Bare faces
of the other sources are put in the place of masked ones, in their size and in their light: the same crowd, bare.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from recipe.chance import chance
from recipe.detector.scene import PARTLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.detector.data import Picture

_SHARE = 0.75
"""Share of a picture's masked faces that are replaced."""
_LEAST = 8.0
"""Pixels of the smallest face that is replaced: a smaller one has nothing to tell bare from masked by."""
_MOST_ENLARGED = 1.6
"""A donor is enlarged at most so much: what is coarser shows no face that a camera would."""
_OUTSIDE = 0.15
"""Share of a donor's box that may lie outside its picture."""
_TRIES = 6
"""Donors that are looked at for one face."""
_AROUND = (0.02, 0.3)
"""What is taken over around the donor's box, in shares of its sides."""
_MARGIN = 1.12
"""Axes of the oval that is drawn, in those of the box that holds the old face and the new one: no rim of the mask stays in sight."""
_LIT = 0.85
"""Share of the faces that take on the light and colour of the upper half, where no mask is, of the face they replace."""
_GAIN = (0.4, 2.2)
"""By how much a colour may be multiplied for that."""
_UNFOCUSED, _SOFTNESS = 0.3, (0.01, 0.045)
"""Share of the faces that are blurred, as street pictures are softer than portraits, and by how much of the face's size."""
_EDGE = (0.03, 0.1)
"""How softly the oval ends, in shares of the face's size."""


class Donors:
    """Bare faces that may take a masked one's place."""

    def __init__(self, pools: Sequence[tuple[Sequence[Picture], float]]) -> None:
        """Draw from ``pools``, pictures with the share they are drawn with; those without a sure bare face are left out."""
        kept = [([p for p in pictures if p.bare.any()], share) for pictures, share in pools]
        self._pools = [pictures for pictures, _ in kept if pictures]
        self._ends = np.cumsum([share for pictures, share in kept if pictures])

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._pools)

    def draw(self, size: float, rng: np.random.Generator) -> tuple[Picture, int] | None:
        """A picture and the number of a bare face that is fine enough for ``size`` pixels and within its picture; None where none was met."""
        for _ in range(_TRIES):
            pictures = self._pools[int(np.searchsorted(self._ends, rng.random() * self._ends[-1]))]
            picture = pictures[int(rng.integers(len(pictures)))]
            face = int(rng.choice(np.flatnonzero(picture.bare)))
            whole, seen = (float(np.prod(box[2:] - box[:2])) for box in (picture.boxes[face], _within(picture.boxes[face], picture)))
            if whole > 0 and size <= _MOST_ENLARGED * np.sqrt(whole) and seen >= (1 - _OUTSIDE) * whole:
                return picture, face
        return None


def bared(picture: Picture, donors: Donors, rng: np.random.Generator) -> Picture:
    """``picture`` with some of its masked faces replaced by bare ones; the original stays as it is."""
    pixels, boxes, landmarks = picture.pixels.copy(), picture.boxes.copy(), picture.landmarks.copy()
    masked, ignored = picture.masked.copy(), picture.ignored.copy()
    for i in np.flatnonzero(picture.masked & ~picture.ignored):
        size = float(np.sqrt(np.prod(np.maximum(boxes[i, 2:] - boxes[i, :2], 0.0))))
        if size < _LEAST or not chance(rng, _SHARE) or (donor := donors.draw(size, rng)) is None:
            continue
        boxes[i], landmarks[i], oval = _put(pixels, boxes[i], size, *donor, rng)
        masked[i] = ignored[i] = False  # the face drawn last lies on top
        for j in np.flatnonzero(np.arange(len(boxes)) != i):
            ignored[j] |= oval.share_of(boxes[j]) > PARTLY
    return replace(picture, pixels=pixels, boxes=boxes, landmarks=landmarks, masked=masked, ignored=ignored)


def _within(box: NDArray[np.float32], picture: Picture) -> NDArray[np.float64]:
    return np.asarray(np.clip(box, 0, np.tile(picture.pixels.shape[1::-1], 2)), np.float64)


class _Oval(NamedTuple):
    """Where a face was drawn."""

    mask: NDArray[np.uint8]
    """``[H, W]``: 0 to 255."""
    corner: NDArray[np.int64]
    """The place of its first pixel in the picture."""

    def share_of(self, box: NDArray[np.float32]) -> float:
        """Share of ``box`` (x0, y0, x1, y1) that it covers."""
        x0, y0, x1, y1 = np.round(box - np.tile(self.corner, 2)).astype(int)
        part = self.mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        return float(part.sum()) / 255 / max(1, (x1 - x0) * (y1 - y0))


def _put(
    pixels: NDArray[np.uint8], place: NDArray[np.float32], size: float, donor: Picture, face: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], _Oval]:
    """Draw the donor's face over ``place`` (x0, y0, x1, y1) of ``pixels``; gives its box and landmarks there, and where it was drawn."""
    height, width = pixels.shape[:2]
    box = _within(donor.boxes[face], donor)
    scale = size / float(np.sqrt(np.prod(box[2:] - box[:2])))
    margin = rng.uniform(*_AROUND, 4) * np.tile(box[2:] - box[:2], 2)
    x0, y0 = np.maximum(np.floor(box[:2] - margin[:2]), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(box[2:] + margin[2:]), donor.pixels.shape[1::-1]).astype(int)
    part = donor.pixels[y0:y1, x0:x1]
    size_there = max(2, round((x1 - x0) * scale)), max(2, round((y1 - y0) * scale))
    part = np.asarray(cv2.resize(part, size_there, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)
    if chance(rng, _UNFOCUSED):
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), rng.uniform(*_SOFTNESS) * size), np.uint8)
    if chance(rng, _LIT):
        part = _in_light_of(part, pixels, place, rng)
    stretch = np.array(size_there) / [x1 - x0, y1 - y0]
    corner = (place[:2] + place[2:]) / 2 - ((box[:2] + box[2:]) / 2 - [x0, y0]) * stretch
    moved = np.clip(((box.reshape(2, 2) - [x0, y0]) * stretch + corner).reshape(4), 0, [width, height, width, height])
    points = (donor.landmarks[face] - [x0, y0]) * stretch + corner

    around = np.concatenate([np.minimum(moved, place)[:2], np.maximum(moved, place)[2:]])
    oval = _oval(around, (height, width), rng.uniform(*_EDGE) * size)
    sides = oval.mask.shape[::-1]
    # What the donor's picture does not show, hair beside a tight crop, goes on as its edge does.
    over = cv2.warpAffine(part, np.column_stack([np.eye(2), corner - oval.corner]), sides, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = oval.mask[..., None].astype(np.float32) / 255
    under = pixels[oval.corner[1] : oval.corner[1] + sides[1], oval.corner[0] : oval.corner[0] + sides[0]]
    under[:] = (over * alpha + under * (1 - alpha)).astype(np.uint8)
    return moved.astype(np.float32), points.astype(np.float32), oval


def _oval(box: NDArray[np.float64], shape: tuple[int, int], edge: float) -> _Oval:
    """An oval about ``box`` (x0, y0, x1, y1), within ``shape`` (rows, columns), ending softly outwards."""
    x0, y0, x1, y1 = box
    axes = max(1, round(_MARGIN * (x1 - x0) / 2)), max(1, round(_MARGIN * (y1 - y0) / 2))
    blur = max(1, round(edge))
    centre = np.round([(x0 + x1) / 2, (y0 + y1) / 2]).astype(int)
    reach = np.array(axes) + 2 * blur
    corner, end = np.maximum(centre - reach, 0), np.minimum(centre + reach + 1, shape[::-1])
    mask = np.zeros((end - corner)[::-1], np.uint8)
    cv2.ellipse(mask, (centre - corner).tolist(), axes, 0.0, 0.0, 360.0, (255.0,), -1)
    return _Oval(np.asarray(cv2.blur(mask, (2 * blur + 1,) * 2), np.uint8), corner)


def _in_light_of(part: NDArray[np.uint8], pixels: NDArray[np.uint8], place: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """``part`` in the light and colour, or the way from half to all of it, of the upper half of ``place``: a grey face takes its tint too."""
    x0, y0, x1, y1 = np.round(place).astype(int)
    before = pixels[max(y0, 0) : max((y0 + y1) // 2, 0), max(x0, 0) : max(x1, 0)].reshape(-1, 3)
    if not len(before):
        return part
    now = part[: max(1, len(part) // 2)].reshape(-1, 3)
    gain = np.clip((before.mean(0) + 8) / (now.mean(0) + 8), *_GAIN) ** rng.uniform(0.5, 1.0)
    return np.clip(part * gain, 0, 255).astype(np.uint8)
