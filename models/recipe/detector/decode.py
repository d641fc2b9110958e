"""From the detector's outputs to faces, as the appliance does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch

from recipe.detector import HEIGHT, STRIDES, WIDTH
from recipe.detector.net import DetectorNet, flat
from recipe.letterbox import letterbox
from recipe.metrics import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.litert import Model

NMS_IOU = 0.4
"""Of two boxes that overlap more, the lower score goes."""
MAX_FACES = 16
"""Faces that the appliance keeps in a picture."""
_CANDIDATES = 400
"""Cells that go on to suppression."""
FLOOR = 0.02
"""Scores below this are of no use even for a precision-recall curve."""


class Found(NamedTuple):
    """Faces in a picture, best first."""

    scores: NDArray[np.float32]
    """``[N]``."""
    boxes: NDArray[np.float32]
    """``[N, 4]``, pixels."""
    landmarks: NDArray[np.float32]
    """``[N, 5, 2]``, pixels."""


class Net(Protocol):
    """Gives objectness ``[C]``, boxes ``[C, 4]`` and landmarks ``[C, 10]`` of a canvas ``[256, 320, 3]``."""

    def __call__(self, canvas: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Run it."""


class FloatNet:
    """The network before quantisation."""

    def __init__(self, net: DetectorNet) -> None:
        """Wrap ``net``."""
        self._net = net.float().eval()

    @torch.no_grad()
    def __call__(self, canvas: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Run it."""
        objectness, box, landmarks = flat(self._net(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float()))
        return objectness[0].numpy(), box[0].numpy(), landmarks[0].numpy()


class Int8Net:
    """The exported file."""

    def __init__(self, model: Model) -> None:
        """Wrap ``model``; its outputs are told apart by their shapes."""
        self._model = model
        self._order = [[next(i for i, t in enumerate(model.outputs) if t.shape == (1, HEIGHT // s, WIDTH // s, c)) for s in STRIDES] for c in (1, 4, 10)]

    def __call__(self, canvas: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Run it."""
        out = self._model.run(canvas[None])
        objectness, box, landmarks = (np.concatenate([out[i].reshape(-1, out[i].shape[-1]) for i in places]) for places in self._order)
        return objectness[:, 0], box, landmarks


def _cells() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    centres, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : HEIGHT // stride, 0 : WIDTH // stride]
        centres.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full((len(centres[-1]), 1), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


_CENTRES, _CELL_STRIDES = _cells()


def find(net: Net, pixels: NDArray[np.uint8], floor: float = FLOOR, most: float | None = None) -> Found:
    """The faces in RGB ``pixels`` ``[H, W, 3]`` that score at least ``floor``, in the picture's own pixels; each of those is at most ``most`` of the input's wide."""
    canvas, scale = letterbox(pixels, most)
    logits, box, landmarks = net(canvas)
    scores = np.asarray(1 / (1 + np.exp(-logits)), np.float32)
    keep = np.flatnonzero(scores >= floor)
    keep = keep[np.argsort(-scores[keep], kind="stable")][:_CANDIDATES]
    reach = box[keep] * _CELL_STRIDES[keep]
    boxes = np.asarray(np.concatenate([_CENTRES[keep] - reach[:, :2], _CENTRES[keep] + reach[:, 2:]], axis=1) / np.float32(scale), np.float32)
    points = landmarks[keep].reshape(-1, 5, 2) * _CELL_STRIDES[keep][:, None] + _CENTRES[keep][:, None]
    best = suppress(boxes)
    limit = np.array([pixels.shape[1], pixels.shape[0]] * 2, np.float32)
    inside = np.asarray(np.clip(boxes[best], 0, limit), np.float32)
    return Found(scores[keep][best], inside, np.asarray(points[best] / np.float32(scale), np.float32))


def suppress(boxes: NDArray[np.float32]) -> list[int]:
    """Indices that greedy non-maximum suppression keeps of ``boxes`` ``[N, 4]``, best first."""
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[overlaps(boxes[best][None], boxes[left])[0] <= NMS_IOU]
    return kept
