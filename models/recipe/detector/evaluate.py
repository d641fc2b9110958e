"""How good the detector is, on pictures that it was not trained on.

Human boxes exist for the mask pictures only: average precision and the recalls that count are measured there. The threshold is the
lowest that gives at most one false positive in a hundred negatives of the tuning half; everything else is reported on the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recipe.detector.confirm import see
from recipe.detector.decode import Found, Net, find
from recipe.detector.paste import largest, paste
from recipe.metrics import Share, average_precision, lowest_threshold, median_interval, overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recipe.detector.data import Picture, Pictures

_SAME = 0.5
"""IoU from which a box is on the face."""
_NEAR_TEACHER = 0.4
"""IoU from which a box is on a face whose box is a teacher's, which errs itself."""
_ONE_IN = 100
"""Negatives of the tuning half that may share one false positive."""
_LEAST_THRESHOLD = 0.4
"""A threshold lower than this would rest on too few negatives."""
_WIDTHS = (0.04, 0.06, 0.08)
"""Of the frame: a 15 cm face at about 3, 2 and 1.5 m through a 62 to 66° lens."""
_SIZES = (0.05, 0.1, 0.2)
"""Of a picture's long side."""


class Matched(NamedTuple):
    """A picture's faces and what was found."""

    picture: Picture
    found: Found


def evaluate(net: Net, held: Pictures) -> tuple[float, dict[str, Any]]:
    """The threshold and all figures of ``net``."""
    tuned, reporting = tuning(held.negatives), held.negatives[1::2]
    threshold = tune(net, tuned)
    masks = [Matched(p, see(net, p.pixels)) for p in held.masks]
    figures: dict[str, Any] = {
        "ap50": {f"{size:.2f}": round(ap50(masks, size), 4) for size in _SIZES},
        "ap50_interval95": {f"{size:.2f}": _ap_interval(masks, size) for size in _SIZES},
        "ap50_first_look_0.10": round(ap50([Matched(p, find(net, p.pixels)) for p in held.masks], 0.1), 4),
        "recall_unmasked_0.10": recall(masks, threshold, 0.1, masked=False).as_dict(),
        "recall_masked_0.10": recall(masks, threshold, 0.1, masked=True).as_dict(),
        "recall_unmasked_0.05": recall(masks, threshold, 0.05, masked=False).as_dict(),
        "recall_masked_0.05": recall(masks, threshold, 0.05, masked=True).as_dict(),
        "negatives_with_false_positive": false_positives(net, reporting, threshold).as_dict(),
        "negatives_with_false_positive_tuning_half": false_positives(net, tuned, threshold).as_dict(),
    }
    for name in ("people", "faces"):
        matched = [Matched(p, see(net, p.pixels, threshold)) for p in getattr(held, name)]
        figures[f"recall_{name}"] = largest_found(matched).as_dict()
        errors = landmark_errors(matched)
        low, high = median_interval(errors)
        figures[f"landmark_error_{name}"] = {
            "median": round(float(np.median(errors)), 4) if len(errors) else 0.0,
            "count": len(errors),
            "interval95": [round(low, 4), round(high, 4)],
        }
    figures["recall_pasted"] = {f"{width:.2f}": pasted(net, held, width, threshold).as_dict() for width in _WIDTHS}
    return threshold, figures


def tuning(negatives: Sequence[Picture]) -> Sequence[Picture]:
    """The half of the held-out negatives that is tuned on; the other half is reported on."""
    return negatives[0::2]


def tune(net: Net, negatives: Sequence[Picture]) -> float:
    """The lowest threshold at which at most one negative in a hundred has a false positive."""
    best = np.array([max(see(net, p.pixels).scores, default=0.0) for p in negatives], np.float32)
    return lowest_threshold(best, _ONE_IN, _LEAST_THRESHOLD)


def false_positives(net: Net, negatives: Sequence[Picture], threshold: float) -> Share:
    """Share of ``negatives`` in which something is found at ``threshold``."""
    return Share(sum(len(see(net, p.pixels, threshold).scores) > 0 for p in negatives), len(negatives))


def match(picture: Picture, found: Found, counted: NDArray[np.bool_], iou: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Pair boxes with faces, best score first.

    Returns:
        Whether each box found is a hit, whether it counts at all (a box on a face that is not counted does not), and whether each
        face was found.
    """
    shared = overlaps(found.boxes, picture.boxes) if len(picture.boxes) else np.zeros((len(found.boxes), 0), np.float32)
    hit, counts = np.zeros(len(found.boxes), bool), np.ones(len(found.boxes), bool)
    taken = np.zeros(len(picture.boxes), bool)
    for i, row in enumerate(shared):
        free = np.where(taken, -1.0, row)
        if not len(free) or free.max() < iou:
            continue
        face = int(free.argmax())
        taken[face] = True
        hit[i] = counts[i] = bool(counted[face])
    return hit, counts, taken


def _large(picture: Picture, size: float) -> NDArray[np.bool_]:
    sides = np.max(picture.boxes[:, 2:] - picture.boxes[:, :2], axis=1, initial=0.0)
    return np.asarray((sides >= size * max(picture.pixels.shape[:2])) & ~picture.ignored, bool)


class _Scored(NamedTuple):
    """What a picture adds to a curve of precision over recall."""

    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    truths: int


def ap50(matched: Sequence[Matched], size: float) -> float:
    """Average precision at IoU 0.5 over faces of at least ``size`` of the long side; smaller faces neither help nor harm."""
    return _ap([_score(one, size) for one in matched])


def _score(one: Matched, size: float) -> _Scored:
    picture, found = one
    counted = _large(picture, size)
    hit, counts, _ = match(picture, found, counted, _SAME)
    boxes = found.boxes[:, 2:] - found.boxes[:, :2]
    # A false box smaller than what is asked about answers another question.
    counts &= hit | (np.max(boxes, axis=1, initial=0.0) >= size * max(picture.pixels.shape[:2]))
    return _Scored(found.scores[counts], hit[counts], int(counted.sum()))


def _ap(scored: Sequence[_Scored]) -> float:
    return average_precision(np.concatenate([each.scores for each in scored]), np.concatenate([each.hits for each in scored]), sum(each.truths for each in scored))


def _ap_interval(matched: Sequence[Matched], size: float, draws: int = 200) -> list[float]:
    """95 % interval of ``ap50`` by drawing pictures anew."""
    rng = np.random.default_rng(0)
    scored = [_score(one, size) for one in matched]
    values = [_ap([scored[i] for i in rng.integers(0, len(scored), len(scored))]) for _ in range(draws)]
    return [round(float(np.quantile(values, q)), 4) for q in (0.025, 0.975)]


def recall(matched: Sequence[Matched], threshold: float, size: float, *, masked: bool) -> Share:
    """Share of the faces of at least ``size`` of the long side, masked or not, that are found at ``threshold``."""
    hits = count = 0
    for picture, found in matched:
        counted = _large(picture, size) & (picture.masked == masked)
        above = found.scores >= threshold
        _, _, taken = match(picture, Found(*(array[above] for array in found)), counted, _SAME)
        hits += int((taken & counted).sum())
        count += int(counted.sum())
    return Share(hits, count)


def largest_found(matched: Sequence[Matched]) -> Share:
    """Share of the pictures in which the teacher's largest face is found."""
    hits = count = 0
    for picture, found in matched:
        if picture.ignored.all():
            continue
        face = largest(picture)
        count += 1
        hits += int(len(found.boxes) and overlaps(found.boxes, picture.boxes[face][None]).max() >= _NEAR_TEACHER)
    return Share(hits, count)


def landmark_errors(matched: Sequence[Matched]) -> NDArray[np.float64]:
    """Mean distance of the five points to the teacher's, for each largest face found, in units of the face's size."""
    errors = []
    for picture, found in matched:
        if picture.ignored.all() or not len(found.boxes):
            continue
        face = largest(picture)
        shared = overlaps(found.boxes, picture.boxes[face][None])[:, 0]
        if shared.max() < _NEAR_TEACHER:
            continue
        box = picture.boxes[face]
        size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        distance = np.linalg.norm(found.landmarks[shared.argmax()] - picture.landmarks[face], axis=1)
        errors.append(float(distance.mean()) / size)
    return np.array(errors)


def pasted(net: Net, held: Pictures, share: float, threshold: float, count: int = 300, width: int = 640, height: int = 480) -> Share:
    """Share of held-out people found when their face takes ``share`` of the width of a 640x480 frame in a held-out room."""
    rng = np.random.default_rng(7)
    portraits = [p for p in (*held.people, *held.faces) if not p.ignored.all() and not p.masked.any()]
    hits = 0
    for _ in range(count):
        frame, box = paste(rng, portraits, held.negatives, share * width, width, height)
        found = see(net, frame, threshold)
        hits += int(len(found.boxes) and overlaps(found.boxes, box[None]).max() >= _SAME)
    return Share(hits, count)
