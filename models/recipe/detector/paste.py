"""People pasted into rooms, at any distance: what recall across a room is measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.detector.data import Picture


def largest(picture: Picture) -> int:
    """Index of the largest face that counts."""
    areas = np.prod(picture.boxes[:, 2:] - picture.boxes[:, :2], axis=1)
    return int(np.where(picture.ignored, -1, areas).argmax())


def paste(
    rng: np.random.Generator,
    portraits: Sequence[Picture],
    rooms: Sequence[Picture],
    face_width: float,
    width: int,
    height: int,
    aside: int = 0,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A frame with one face of ``face_width`` pixels in a room, and the face's box; the same person ``aside`` pixels further right, if asked."""
    picture = portraits[int(rng.integers(len(portraits)))]
    room = rooms[int(rng.integers(len(rooms)))].pixels
    frame = np.ascontiguousarray(cv2.resize(room, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    box = picture.boxes[largest(picture)]
    scale = face_width / float(box[2] - box[0])
    h, w = (max(2, round(n * scale)) for n in picture.pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(picture.pixels, (w, h), interpolation=how), np.uint8)
    box = box * np.array([w / picture.pixels.shape[1], h / picture.pixels.shape[0]] * 2, np.float32)
    # The whole picture is pasted, cut where it is larger than the frame, and the face stays inside.
    x = int(rng.uniform(-box[0], width - box[2])) if w >= width else int(rng.uniform(0, width - w))
    y = int(rng.uniform(-box[1], height - box[3])) if h >= height else int(rng.uniform(0, height - h))
    x += aside
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if x1 > x0:
        frame[y0:y1, x0:x1] = small[y0 - y : y1 - y, x0 - x : x1 - x]
    return frame, np.asarray(box + np.array([x, y, x, y]), np.float32)
