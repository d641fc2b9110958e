"""Looks at picture files, as ``moodify scan`` does: every face, with what can be said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.pictures import read_picture
from moodify.types import Face, Frame, Image, PixelLayout, SeenFace
from moodify.vision.boxes import as_array, moved
from moodify.vision.detector import suppress
from moodify.vision.eyes import Judge, open_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moodify.config.model import VisionConfig
    from moodify.vision.port import Classifier, Detector

_LEVELS: Final = 3
"""How often the zoom is doubled: faces are found down to an eighth of what one pass over the whole picture finds."""
_OVERLAP: Final = 0.25
"""Of a tile, on each side: a face up to that size lies whole in one of them."""
_LARGEST: Final = 0.3
"""Of a tile's width: a larger face is found at half the zoom too, and what only looks like a face up close is not."""
_SAME_FACE_IOU: Final = 0.35


@dataclass(frozen=True, slots=True)
class PictureReport:
    """What was seen in one picture."""

    path: Path
    width: int
    """In pixels, upright."""
    height: int
    faces: tuple[SeenFace, ...]
    """Most confident first, in pixels of the upright picture."""

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values: lengths in pixels, probabilities from 0 to 1, valence and arousal from -1 to 1."""
        return {"picture": str(self.path), "width": self.width, "height": self.height, "faces": [_face_json(seen) for seen in self.faces]}


class Scanner:
    """Keeps the models loaded over many pictures. For one thread at a time."""

    def __init__(self, detector: Detector, classifier: Classifier, config: VisionConfig) -> None:
        self._detector = detector
        self._judge = Judge(classifier, config)

    def scan(self, path: Path) -> PictureReport:
        """Read a picture file and look at it.

        Raises:
            PictureError: it can't be read; the message names the file and what to do.
            ModelError: a model fails while it runs.
        """
        return self.look(path, read_picture(path))

    def look(self, path: Path, image: Image) -> PictureReport:
        """Look at a picture that has been read from ``path``."""
        frame = Frame(image, 0.0, 0)
        faces = tuple(self._judge.judge(frame, face) for face in self.faces(image))
        return PictureReport(path, image.width, image.height, faces)

    def faces(self, image: Image) -> tuple[Face, ...]:
        """Return the faces of an RGB image: of the whole, and of tiles where it has more pixels than the detector takes."""
        found = list(self._detector.faces(image))
        for left, top, part in _tiles(image, self._detector.input_size):
            found += [moved(face, left, top) for face in self._detector.faces(part) if _new(face, left, top, part, image)]
        if not found:
            return ()
        scores = np.array([face.confidence for face in found], np.float32)
        return tuple(found[i] for i in suppress(as_array(face.box for face in found), scores, iou=_SAME_FACE_IOU, most=len(found)))


def open_scanner(config: VisionConfig) -> Scanner:
    """Load the models and return a scanner.

    Raises:
        ModelError: a model is missing, is not what its manifest says, or there is no TFLite.
    """
    detector, classifier = open_models(config)
    return Scanner(detector, classifier, config)


def _tiles(image: Image, tile: tuple[int, int]) -> Iterator[tuple[int, int, Image]]:
    """Yield overlapping parts with the x and y of their corners, level by level, until a part's pixels fill a tile or the levels end."""
    whole = max(image.width / tile[0], image.height / tile[1])
    for level in range(1, _LEVELS + 1):
        zoom = max(whole / 2**level, 1.0)
        if whole / zoom < 2 ** (level - 0.5):
            # Less than half a doubling over the last level would find the same faces again.
            return
        size = min(image.width, round(tile[0] * zoom)), min(image.height, round(tile[1] * zoom))
        for top in _starts(image.height, size[1]):
            for left in _starts(image.width, size[0]):
                yield left, top, Image(image.pixels[top : top + size[1], left : left + size[0]], PixelLayout.RGB)


def _starts(length: int, size: int) -> list[int]:
    count = 1 + math.ceil((length - size) / (size * (1 - _OVERLAP)))
    return [round(i * (length - size) / max(1, count - 1)) for i in range(count)]


def _new(face: Face, left: int, top: int, part: Image, image: Image) -> bool:
    """Return whether a face lies whole in the part and is too small for a coarser level to be trusted with it."""
    cut = (
        (face.box.x0 <= 1 and left > 0)
        or (face.box.y0 <= 1 and top > 0)
        or (face.box.x1 >= part.width - 1 and left + part.width < image.width)
        or (face.box.y1 >= part.height - 1 and top + part.height < image.height)
    )
    return not cut and face.box.width <= _LARGEST * part.width


def _face_json(seen: SeenFace) -> dict[str, Any]:
    scores = seen.scores
    return {
        "box": [round(value, 1) for value in seen.face.box],
        "landmarks": {name: [round(value, 1) for value in point] for name, point in seen.face.landmarks._asdict().items()},
        "confidence": round(seen.face.confidence, 4),
        "emotion": scores.top.value if scores is not None and seen.judged else None,
        "emotions": {emotion.value: round(p, 4) for emotion, p in scores.probabilities.items()} if scores is not None else None,
        "valence": round(scores.valence, 4) if scores is not None else None,
        "arousal": round(scores.arousal, 4) if scores is not None else None,
        "not_judged": seen.not_judged.value if seen.not_judged is not None else None,
    }
