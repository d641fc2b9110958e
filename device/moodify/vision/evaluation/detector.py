"""How well the detector finds faces in pictures, at every threshold and at the one that it ships with.

Average precision needs boxes that people drew. A figure that the data can't give is None.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from moodify.errors import DataError
from moodify.pictures import read_picture
from moodify.vision.boxes import as_array, overlaps
from moodify.vision.confirming import open_detector
from moodify.vision.evaluation.metrics import PrecisionRecall, Share, bootstrap95, precision_recall, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from moodify.vision.evaluation.pictures import Picture
    from moodify.vision.manifest import DetectorManifest
    from moodify.vision.models import ModelFile

SIZES: Final = (0.05, 0.10, 0.20)
"""Of a picture's long side: faces smaller than this do not count."""
FLOOR: Final = 0.02
"""Boxes that score below it are of no use even for a precision-recall curve."""

_RECALL_SIZES: Final = (0.05, 0.10)
_SAME: Final = 0.5
"""IoU from which a box is on the face."""
_NEAR_TEACHER: Final = 0.4
"""IoU from which a box is on a face whose box is a teacher's, which errs itself."""
_AP_DRAWS: Final = 200
_MEDIAN_DRAWS: Final = 1000
_UNLIMITED: Final = 1000
"""Faces that one picture may have while every threshold is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the detector found in a picture, at any threshold, surest first."""

    picture: Picture
    long_side: int
    """Of the picture, in pixels."""
    scores: NDArray[np.float32]
    """(m,)."""
    boxes: NDArray[np.float32]
    """(m, 4), pixels."""
    landmarks: NDArray[np.float32]
    """(m, 5, 2), pixels."""

    def shown(self, threshold: float, most: int) -> Found:
        """Return what the appliance would see at ``threshold``, with ``most`` faces in a picture."""
        count = min(int((self.scores >= threshold).sum()), most)
        return replace(self, scores=self.scores[:count], boxes=self.boxes[:count], landmarks=self.landmarks[:count])

    @property
    def best(self) -> float:
        """The highest score; 0 where nothing was found."""
        return float(self.scores[0]) if len(self.scores) else 0.0


class Finder:
    """The appliance's detector, with the threshold low and no limit on faces, so that every threshold can be looked at afterwards."""

    def __init__(self, model: ModelFile[DetectorManifest], threads: int = 0) -> None:
        """Load ``model``; arguments and errors as :class:`~moodify.vision.runtime.Runtime`."""
        settings = model.manifest.postprocess
        self.threshold = settings.score_threshold
        self.max_faces = settings.max_faces
        unlimited = model.manifest.model_copy(update={"postprocess": settings.model_copy(update={"max_faces": _UNLIMITED})})
        self._detector = open_detector(replace(model, manifest=unlimited), threshold=FLOOR, threads=threads)

    def find(self, pictures: Iterable[Picture]) -> list[Found]:
        """Look at every picture.

        Raises:
            PictureError: one can't be read.
            ModelError: the model fails while it runs.
        """
        return [self._look(picture) for picture in pictures]

    def _look(self, picture: Picture) -> Found:
        image = read_picture(picture.file)
        faces = self._detector.faces(image)
        scores, boxes, landmarks = ([getattr(face, name) for face in faces] for name in ("confidence", "box", "landmarks"))
        return Found(
            picture,
            max(image.width, image.height),
            np.array(scores, np.float32),
            as_array(boxes),
            np.array(landmarks, np.float32).reshape(-1, 5, 2),
        )


@dataclass(frozen=True, slots=True, eq=False)
class DetectorFigures:
    """What was found where; every figure comes from here."""

    found: Sequence[Found]
    threshold: float
    max_faces: int
    threshold_from: str
    """Who chose the threshold: ``manifest``, ``configuration``, ``given`` or ``fp_per_100``."""

    @property
    def by_people(self) -> list[Found]:
        """Pictures with boxes that people drew."""
        return [found for found in self.found if found.picture.by_people]

    @property
    def by_teacher(self) -> list[Found]:
        """Pictures with a teacher's boxes, one of which is sure."""
        return [found for found in self.found if not found.picture.by_people and found.picture.largest is not None]

    @property
    def negatives(self) -> list[Found]:
        """Pictures without a face."""
        return [found for found in self.found if found.picture.negative]

    def curve(self, size: float) -> PrecisionRecall | None:
        """Return precision over recall at IoU 0.5 for faces of at least ``size`` of the long side; None where there is no such face.

        Smaller faces, and boxes on them, neither help nor harm.
        """
        parts = [_matched(found, size) for found in self.by_people]
        return _curve(parts) if sum(truths for *_, truths in parts) else None

    def ap50_interval95(self, size: float) -> tuple[float, float] | None:
        """Return the interval of the curve's area, by drawing pictures anew."""
        parts = [_matched(found, size) for found in self.by_people]
        if not sum(truths for *_, truths in parts):
            return None
        return bootstrap95(lambda drawn: _area([parts[i] for i in drawn]), len(parts), _AP_DRAWS)

    def recall(self, size: float, *, masked: bool) -> Share:
        """Return how many of people's faces of at least ``size``, masked or not, are found at the threshold."""
        hits = count = 0
        for found in self.by_people:
            wanted = _large(found, size) & (found.picture.masked == masked)
            _, _, taken = _pair(found.shown(self.threshold, self.max_faces), wanted)
            hits += int((taken & wanted).sum())
            count += int(wanted.sum())
        return Share(hits, count)

    def largest(self) -> Share:
        """Return in how many pictures of a teacher's its largest face is found at the threshold."""
        return Share(sum(place is not None for *_, place in self._largest()), len(self.by_teacher))

    def landmark_errors(self) -> NDArray[np.float64]:
        """Return the mean distance of the five points to the teacher's, for each largest face found, in units of the face's size."""
        errors = []
        for found, face, place in self._largest():
            if place is not None:
                width, height = found.picture.boxes[face, 2:] - found.picture.boxes[face, :2]
                distance = np.linalg.norm(found.landmarks[place] - found.picture.landmarks[face], axis=1)
                errors.append(float(distance.mean() / np.sqrt(width * height)))
        return np.array(errors)

    def false_positives(self) -> tuple[Share, int]:
        """Return in how many pictures without a face one is seen at the threshold, and how many boxes there are in them together."""
        counts = [len(found.shown(self.threshold, self.max_faces).scores) for found in self.negatives]
        return Share(sum(count > 0 for count in counts), len(counts)), sum(counts)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as JSON values: fractions, never percent, but for ``fp_per_100``, negatives with a false positive in a hundred."""
        negatives, boxes = self.false_positives()
        errors = self.landmark_errors()
        sizes = {f"{size:.2f}": size for size in SIZES}
        curves = {key: self.curve(size) for key, size in sizes.items()}
        spans = {key: self.ap50_interval95(size) for key, size in sizes.items()}
        recall = {f"{'masked' if masked else 'unmasked'}_{size:.2f}": self.recall(size, masked=masked) for size in _RECALL_SIZES for masked in (False, True)}
        recall["largest"] = self.largest()
        return {
            "pictures": len(self.found),
            "threshold": self.threshold,
            "threshold_from": self.threshold_from,
            "ap50": {key: None if curve is None else rounded(curve.area) for key, curve in curves.items()},
            "ap50_interval95": {key: None if span is None else [rounded(end) for end in span] for key, span in spans.items()},
            "recall": {key: share.as_json() if share.count else None for key, share in recall.items()},
            "landmark_error": _median(errors) if len(errors) else None,
            "fp_per_100": round(100 * negatives.value, 2) if negatives.count else None,
            "false_positives": negatives.as_json() | {"boxes": boxes} if negatives.count else None,
        }

    def _largest(self) -> list[tuple[Found, int, int | None]]:
        """Return each picture of a teacher's with its largest face, and the place of the box that is on it."""
        triples: list[tuple[Found, int, int | None]] = []
        for each in self.by_teacher:
            found, face = each.shown(self.threshold, self.max_faces), each.picture.largest or 0
            shared = overlaps(found.boxes, each.picture.boxes[face : face + 1])[:, 0]
            triples.append((found, face, int(shared.argmax()) if shared.max(initial=0.0) >= _NEAR_TEACHER else None))
        return triples


def threshold_for(negatives: Sequence[Found], per_100: float) -> float:
    """Return the lowest threshold, in steps of 0.01, at which at most ``per_100`` in a hundred of ``negatives`` have a false positive.

    Raises:
        DataError: there are no negatives, or no such threshold below 1.
    """
    if not negatives:
        raise DataError("there is no picture without a face to choose a threshold by; give some with --negatives FOLDER")
    best = np.array([found.best for found in negatives])
    for step in range(round(FLOOR * 100), 100):
        if float((best >= step / 100).sum()) * 100 <= per_100 * len(best):
            return step / 100
    raise DataError(f"even at 0.99 more than {per_100:g} in 100 of the negatives have a false positive; allow more with --fp-per-100, or look whether there are faces in them")


def _large(found: Found, size: float) -> NDArray[np.bool_]:
    sides = np.max(found.picture.boxes[:, 2:] - found.picture.boxes[:, :2], axis=1, initial=0.0)
    return np.asarray((sides >= size * found.long_side) & ~found.picture.ignored, bool)


def _pair(found: Found, counted: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Pair boxes with faces, best score first: whether each box is a hit, whether it counts at all, and whether each face was found."""
    shared = overlaps(found.boxes, found.picture.boxes)
    hit, counts = np.zeros(len(found.boxes), bool), np.ones(len(found.boxes), bool)
    taken = np.zeros(len(found.picture.boxes), bool)
    for i, row in enumerate(shared):
        free = np.where(taken, -1.0, row)
        if free.max(initial=-1.0) >= _SAME:
            face = int(free.argmax())
            taken[face] = True
            hit[i] = counts[i] = counted[face]
    return hit, counts, taken


def _matched(found: Found, size: float) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """Return scores and hits of the boxes that count, and how many faces do."""
    counted = _large(found, size)
    hit, counts, _ = _pair(found, counted)
    # A false box smaller than what is asked about answers another question.
    counts &= hit | (np.max(found.boxes[:, 2:] - found.boxes[:, :2], axis=1, initial=0.0) >= size * found.long_side)
    return found.scores[counts], hit[counts], int(counted.sum())


def _curve(parts: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_], int]]) -> PrecisionRecall:
    scores, hits, truths = zip(*parts, strict=True)
    return precision_recall(np.concatenate(scores), np.concatenate(hits), sum(truths))


def _area(parts: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_], int]]) -> float:
    # A draw of pictures may hold none of the few large faces.
    return _curve(parts).area if sum(truths for *_, truths in parts) else 0.0


def _median(errors: NDArray[np.float64]) -> dict[str, Any]:
    low, high = bootstrap95(lambda drawn: float(np.median(errors[drawn])), len(errors), _MEDIAN_DRAWS)
    return {"median": rounded(float(np.median(errors))), "count": len(errors), "interval95": [rounded(low), rounded(high)]}
