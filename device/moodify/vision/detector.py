"""The face detector: decodes the levels of an anchor-free, single-shot model into faces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from moodify.types import Box, Face, Landmarks, Point
from moodify.vision.manifest import DETECTOR_ROLES
from moodify.vision.pixels import Letterbox
from moodify.vision.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodify.types import Image
    from moodify.vision.manifest import DetectorManifest, OutputTensor
    from moodify.vision.models import ModelFile

_MAX_CANDIDATES: Final = 1000
"""Cells that go on to suppression; a threshold near 0 would let all pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Cells that hold a face, before suppression, in pixels of the model's input."""

    scores: NDArray[np.float32]
    """(n,), from 0 to 1."""
    boxes: NDArray[np.float32]
    """(n, 4): x0, y0, x1, y1."""
    landmarks: NDArray[np.float32]
    """(n, 5, 2): x, y."""


class Level:
    """One stride of the detector: which cells, and how int8 becomes pixels."""

    def __init__(self, objectness: OutputTensor, box: OutputTensor, landmarks: OutputTensor, *, threshold: float) -> None:
        self._quantised = (objectness, box, landmarks)
        self._stride = float(objectness.stride or 1)
        _, rows, columns, _ = objectness.shape
        y, x = np.divmod(np.arange(rows * columns), columns)
        self._centres = (np.stack([x, y], axis=1).astype(np.float32) + np.float32(0.5)) * np.float32(self._stride)
        logit = math.log(threshold / (1 - threshold))
        # Compared as int8, a frame without a face costs one pass over the objectness and no float.
        self._least = min(max(math.ceil(logit / objectness.scale + objectness.zero_point), -128), 128)

    def decode(self, objectness: NDArray[np.int8], box: NDArray[np.int8], landmarks: NDArray[np.int8]) -> Candidates | None:
        """Return the cells at or above the threshold, or None where there is none.

        Args:
            objectness: (1, rows, columns, 1), a logit.
            box: (1, rows, columns, 4), distances left, top, right, bottom from the cell's centre, in strides.
            landmarks: (1, rows, columns, 10), x and y from the cell's centre, in strides.
        """
        flat = objectness.ravel()
        cells = np.flatnonzero(flat >= self._least)
        if not cells.size:
            return None
        if cells.size > _MAX_CANDIDATES:
            cells = cells[np.argsort(-flat[cells].astype(np.int16), kind="stable")[:_MAX_CANDIDATES]]
        of_objectness, of_box, of_landmarks = self._quantised
        logits = _real(flat[cells], of_objectness)
        sides = _real(box.reshape(-1, 4)[cells], of_box) * np.float32(self._stride)
        offsets = _real(landmarks.reshape(-1, 10)[cells], of_landmarks).reshape(-1, 5, 2) * np.float32(self._stride)
        centres = self._centres[cells]
        boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1)
        return Candidates(1 / (1 + np.exp(-logits)), boxes, centres[:, None, :] + offsets)


class TfliteDetector:
    """One look for faces, by a TFLite model; :class:`~moodify.vision.confirming.ConfirmingDetector` makes a port's detector of it. For one thread at a time."""

    def __init__(self, model: ModelFile[DetectorManifest], *, threshold: float | None = None, threads: int = 0) -> None:
        """Load ``model``.

        Args:
            model: the file and its manifest.
            threshold: confidence from which a face counts, from 0 to 1; None takes the manifest's.
            threads: as for :class:`~moodify.vision.runtime.Runtime`.

        Raises:
            ModelError: as :class:`~moodify.vision.runtime.Runtime`.
        """
        manifest = model.manifest
        self.runtime = Runtime(model, threads)
        self._settings = manifest.postprocess
        _, height, width, _ = manifest.input.shape
        self._letterbox = Letterbox(width, height)
        least = min(max(manifest.postprocess.score_threshold if threshold is None else threshold, 1e-6), 1 - 1e-6)
        place = {(output.stride, output.role): i for i, output in enumerate(manifest.outputs)}
        self._levels: list[tuple[Level, tuple[int, int, int]]] = []
        for stride in sorted({output.stride or 1 for output in manifest.outputs}):
            objectness, box, landmarks = (place[stride, role] for role in DETECTOR_ROLES)
            level = Level(manifest.outputs[objectness], manifest.outputs[box], manifest.outputs[landmarks], threshold=least)
            self._levels.append((level, (objectness, box, landmarks)))

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height in pixels that an image is brought to."""
        return self._letterbox.size

    @property
    def accelerated(self) -> bool:
        """Whether XNNPACK runs it."""
        return self.runtime.delegated()

    def faces(self, image: Image, most: float | None = None) -> tuple[Face, ...]:
        """Return the faces in ``image``, in its pixels, most confident first; empty where there is nobody.

        Args:
            image: brought to the input's size, as far as its aspect lets it.
            most: the input's pixels for one of the image's at most; less than fills the input leaves the rest grey.
        """
        canvas, scale = self._letterbox.fit(image, most)
        outputs = self.runtime.run(canvas)
        found = [found for level, where in self._levels if (found := level.decode(*(outputs[i] for i in where))) is not None]
        if not found:
            return ()
        scores = np.concatenate([each.scores for each in found])
        boxes = np.concatenate([each.boxes for each in found])
        landmarks = np.concatenate([each.landmarks for each in found])
        kept = suppress(boxes, scores, iou=self._settings.nms_iou, most=self._settings.max_faces)
        return tuple(_face(scores[i], boxes[i] / scale, landmarks[i] / scale, image) for i in kept)


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], *, iou: float, most: int) -> list[int]:
    """Return which boxes stay, best first: greedy non-maximum suppression.

    Args:
        boxes: (n, 4), x0, y0, x1, y1.
        scores: (n,).
        iou: a box goes that covers a better one with more than this intersection over union.
        most: keep at most so many.
    """
    left = np.argsort(-scores, kind="stable")
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept: list[int] = []
    while left.size and len(kept) < most:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        if left.size:
            corner = np.maximum(boxes[left, :2], boxes[best, :2])
            sides = np.maximum(np.minimum(boxes[left, 2:], boxes[best, 2:]) - corner, 0)
            common = sides[:, 0] * sides[:, 1]
            left = left[common <= iou * (areas[left] + areas[best] - common)]
    return kept


def _real(values: NDArray[np.int8], tensor: OutputTensor) -> NDArray[np.float32]:
    return (values.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)


def _face(score: np.float32, box: NDArray[np.float32], landmarks: NDArray[np.float32], image: Image) -> Face:
    x0, y0, x1, y1 = box.tolist()
    inside = Box(max(x0, 0.0), max(y0, 0.0), min(x1, float(image.width)), min(y1, float(image.height)))
    points: Sequence[Sequence[float]] = landmarks.tolist()
    return Face(inside, Landmarks(*(Point(x, y) for x, y in points)), float(score))
