"""Tens of thousands of small grey faces without surroundings, boxed by the network that is being trained.

The pictures with surroundings show few different people without masks. The emotion data hold cut-out faces of very many people in every
expression and light; they have no boxes, so the network boxes them itself once it finds large faces well (self-training; Lee 2013,
"Pseudo-Label"). They are pasted into scenes at the sizes that they have. Their landmarks stay unknown: the network would only learn its
own mistakes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from recipe.detector import LANDMARKS
from recipe.detector.data import Picture
from recipe.detector.loss import decode, grid
from recipe.detector.net import flat
from recipe.errors import DataMissingError
from recipe.letterbox import PADDING
from recipe.training import bfloat16_is_fast

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recipe.detector.net import DetectorNet

_FILES = ("ferplus_train.npz", "faces_unlabelled.npz")
"""In the folder ``emotion``; the classifier's validation faces are not among them."""
_SIDE = 48
_CANVAS, _ENLARGED = (192, 160), 96
"""Width and height of what the network looks at, and the side of the face in it."""
_SURE = 0.6
_LEAST, _MOST = 0.5, 1.15
"""Sizes of a box, in sides of the crop, that are believed."""
_OFF_CENTRE = 0.15
"""In sides of the crop."""
_BATCH = 64


def load(data: Path, count: int | None) -> NDArray[np.uint8]:
    """Faces ``[N, 48, 48]`` of both files, at most ``count`` of each.

    Raises:
        DataMissingError: a file is not there.
    """
    parts = []
    for name in _FILES:
        file = data / "emotion" / name
        if not file.is_file():
            raise DataMissingError.of(file)
        with np.load(file) as archive:
            parts.append(archive["pixels"][:count])
    return np.concatenate(parts)


@torch.no_grad()
def boxed(net: DetectorNet, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Boxes ``[N, 4]`` in the pixels of ``faces`` ``[N, 48, 48]``; NaN where ``net`` sees no single, central face."""
    net.eval()
    (width, height), scale = _CANVAS, _ENLARGED / _SIDE
    corner = np.array([(width - _ENLARGED) // 2, (height - _ENLARGED) // 2])
    cells = grid(width, height)
    half = bfloat16_is_fast()
    boxes = np.full((len(faces), 4), np.nan, np.float32)
    for start in range(0, len(faces), _BATCH):
        part = faces[start : start + _BATCH]
        canvas = np.full((len(part), height, width), PADDING, np.uint8)
        for i, face in enumerate(part):
            canvas[i, corner[1] : corner[1] + _ENLARGED, corner[0] : corner[0] + _ENLARGED] = cv2.resize(face, (_ENLARGED, _ENLARGED), interpolation=cv2.INTER_CUBIC)
        pixels = torch.from_numpy(canvas)[:, None].expand(-1, 3, -1, -1).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = net(pixels)
        logits, box, _ = flat(outputs)
        scores, best = logits.sigmoid().max(1)
        found = decode(cells, box)[torch.arange(len(part)), best].numpy()
        inside = (found - np.tile(corner, 2)) / scale
        size = np.sqrt(np.prod(np.maximum(inside[:, 2:] - inside[:, :2], 0), axis=1)) / _SIDE
        off = np.abs((inside[:, :2] + inside[:, 2:]) / 2 - _SIDE / 2).max(1) / _SIDE
        believed = (scores.numpy() >= _SURE) & (size >= _LEAST) & (size <= _MOST) & (off <= _OFF_CENTRE)
        boxes[start : start + len(part)][believed] = np.clip(inside[believed], 0, _SIDE)
    return boxes


def pictures(faces: NDArray[np.uint8], boxes: NDArray[np.float32]) -> list[Picture]:
    """The faces that have a box, as pictures."""
    unknown = np.full((1, len(LANDMARKS), 2), np.nan, np.float32)
    no = np.zeros(1, bool)
    return [Picture(f"crop {i}", np.repeat(faces[i][..., None], 3, axis=2), boxes[i][None], unknown, no, no) for i in np.flatnonzero(np.isfinite(boxes[:, 0]))]
