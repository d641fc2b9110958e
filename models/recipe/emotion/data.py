"""FER2013 pictures with FER+ votes: what is trained on, what is tuned on, what is reported on.

Training is the usage "Training"; the usage "PublicTest" is split once into a half that the temperature is fitted on and a half
that calibration is reported on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recipe.emotion import LABELS
from recipe.errors import DataMissingError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SPLIT_SEED = 20_26
_VOTERS = 10
_ALIKE = 0.9
"""Correlation, at 16x16 pixels, from which two faces are one picture in two versions (or, seldom, two that look alike)."""


@dataclass(frozen=True)
class Faces:
    """Grey faces with their votes.

    Attributes:
        pixels: uint8 ``[N, 48, 48]``.
        targets: float32 ``[N, 8]``, the votes on the eight emotions, summing to one.
        majority: int64 ``[N]``, the label of FER+'s majority protocol, -1 where it has none.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    majority: NDArray[np.int64]

    def __len__(self) -> int:
        """How many faces."""
        return len(self.pixels)

    def pick(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Faces:
        """Some of the faces."""
        return Faces(self.pixels[index], self.targets[index], self.majority[index])


def fingerprint(*arrays: NDArray[Any]) -> str:
    """A hash of what ``arrays`` hold."""
    together = hashlib.sha256()
    for array in arrays:
        together.update(np.ascontiguousarray(array).data)
    return together.hexdigest()


def load(file: Path) -> Faces:
    """Faces of ``file``; those that nobody gave one of the eight emotions twice are left out."""
    if not file.is_file():
        raise DataMissingError.of(file)
    with np.load(file) as archive:
        pixels, votes = archive["pixels"], archive["ferplus_votes"].astype(np.int64)
    votes[votes <= 1] = 0  # FER+: a single vote is an outlier
    emotions = votes[:, : len(LABELS)]
    top = votes.argmax(1)
    majority = np.where((votes.max(1) * 2 > _VOTERS) & (top < len(LABELS)), top, -1)
    total = emotions.sum(1, keepdims=True)
    useful = (total[:, 0] > 0) & (total[:, 0] * 2 >= votes.sum(1))
    targets = (emotions / np.maximum(total, 1)).astype(np.float32)
    return Faces(pixels, targets, majority).pick(useful)


def training(data: Path) -> Faces:
    """The training faces."""
    return load(data / "emotion" / "ferplus_train.npz")


def validation(data: Path) -> tuple[Faces, Faces]:
    """The validation faces that have a majority label: the half to tune on and the half to report on."""
    faces = load(data / "emotion" / "ferplus_val.npz")
    faces = faces.pick(faces.majority >= 0)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(faces))
    half = len(faces) // 2
    return faces.pick(np.sort(order[:half])), faces.pick(np.sort(order[half:]))


def unlabelled(data: Path) -> NDArray[np.uint8]:
    """Faces ``[N, 48, 48]`` that nobody voted on."""
    file = data / "emotion" / "faces_unlabelled.npz"
    if not file.is_file():
        raise DataMissingError.of(file)
    with np.load(file) as archive:
        return np.asarray(archive["pixels"], np.uint8)


def near_copies(faces: Faces, training_faces: Faces) -> NDArray[np.bool_]:
    """Say which of ``faces`` ``[N]`` have a near copy among the training faces: FER2013 holds pictures cut, lit or marked twice."""
    ours, theirs = _thumbnails(faces.pixels), _thumbnails(training_faces.pixels)
    parts = [(part @ theirs.T).max(1) for part in np.array_split(ours, max(1, len(ours) // 256))]
    return np.asarray(np.concatenate(parts) > _ALIKE, bool)


def _thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = np.array([cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA) for face in pixels], np.float32).reshape(len(pixels), -1)
    small -= small.mean(1, keepdims=True)
    return np.asarray(small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6), np.float32)
