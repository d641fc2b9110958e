"""A scene that is being composed: a canvas, and the faces that can be seen on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.detector import LANDMARKS, MIRRORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.detector.data import Picture

FACE, IGNORED = 1, 2
"""Kinds of a box; 0 is an empty row."""

_SMALLEST_FACE = 10.0
"""Pixels below which a face is ignored, not learned."""
_GLIMPSE, PARTLY, _MOSTLY = 0.15, 0.28, 0.62
"""Shares of a face: less than the first is nothing; between the others it is neither face nor background."""


class Scene:
    """A canvas with what has been put on it."""

    def __init__(self, canvas: NDArray[np.uint8]) -> None:
        """Start with the background ``canvas`` ``[H, W, 3]``."""
        self.canvas = canvas
        self.boxes = np.zeros((0, 4), np.float32)
        self.landmarks = np.zeros((0, len(LANDMARKS), 2), np.float32)
        self.kinds = np.zeros(0, np.uint8)

    def cover(self, alpha: NDArray[np.float32]) -> None:
        """Forget faces that ``alpha`` ``[H, W]`` hides; ignore those that it hides in part."""
        for i, (x0, y0, x1, y1) in enumerate(self.boxes.astype(int)):
            part = alpha[max(y0, 0) : max(y1, 0) + 1, max(x0, 0) : max(x1, 0) + 1]
            hidden = float(part.mean()) if part.size else 1.0
            if hidden > _MOSTLY:
                self.kinds[i] = 0
            elif hidden > PARTLY:
                self.kinds[i] = IGNORED
        shown = self.kinds > 0
        self.boxes, self.landmarks, self.kinds = self.boxes[shown], self.landmarks[shown], self.kinds[shown]

    def put(self, picture: Picture, matrix: NDArray[np.float64], alpha: NDArray[np.float32], *, mirrored: bool) -> None:
        """Add the faces of ``picture``, moved by ``matrix`` (2x3, a similarity), where ``alpha`` shows them."""
        height, width = self.canvas.shape[:2]
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        centres = (picture.boxes[:, :2] + picture.boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
        half = (picture.boxes[:, 2:] - picture.boxes[:, :2]) / 2 * scale
        landmarks = picture.landmarks @ matrix[:, :2].T + matrix[:, 2]
        if mirrored:
            landmarks = landmarks[:, MIRRORED]
        limit = np.array([width, height], np.float64)
        low, high = np.clip(centres - half, 0, limit), np.clip(centres + half, 0, limit)
        seen = np.prod(high - low, axis=1) / np.maximum(np.prod(2 * half, axis=1), 1e-6)
        small = 2 * np.sqrt(np.prod(half, axis=1)) < _SMALLEST_FACE
        for i in np.flatnonzero(seen > _GLIMPSE):
            x0, y0 = low[i].astype(int)
            x1, y1 = high[i].astype(int)
            shown = float(alpha[y0 : y1 + 1, x0 : x1 + 1].mean())
            if shown < PARTLY:
                continue
            plain = seen[i] > _MOSTLY and shown > _MOSTLY and not small[i] and not picture.ignored[i]
            self.boxes = np.vstack([self.boxes, np.concatenate([low[i], high[i]])[None]]).astype(np.float32)
            self.landmarks = np.concatenate([self.landmarks, landmarks[i][None]]).astype(np.float32)
            self.kinds = np.append(self.kinds, np.uint8(FACE if plain else IGNORED))
