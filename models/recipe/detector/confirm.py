"""A closer look at what may be a face, as the appliance does it (``moodify.vision.confirming``): the same numbers for both.

The numbers were chosen on training pictures (people pasted into rooms, and crowds) and on the half of the negatives that is tuned on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.detector import HEIGHT, WIDTH
from recipe.detector.decode import FLOOR, Found, Net, find, suppress
from recipe.metrics import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIRM = {"unsure_from": 0.3, "sure_from": 0.7, "window": 5.0, "weight": 0.5, "most": 8}
"""As the manifest has them: a candidate from the first score on and below the second is looked at again in a window so many times its side high,
with padding for what the picture lacks of that; the second answer weighs so much; so many of a picture at most."""
_SAME = 0.3
"""IoU from which the closer look's face is the candidate's."""


def see(net: Net, pixels: NDArray[np.uint8], floor: float = FLOOR) -> Found:
    """The faces in RGB ``pixels`` ``[H, W, 3]`` that score at least ``floor`` by both looks, in the picture's own pixels."""
    first = find(net, pixels, min(floor, CONFIRM["unsure_from"]))
    left, found = int(CONFIRM["most"]), []
    for one in zip(*first, strict=True):
        unsure = CONFIRM["unsure_from"] <= one[0] < CONFIRM["sure_from"] and left > 0
        left -= unsure
        both = _closer(net, pixels, *one, floor) if unsure else one
        if both is not None and both[0] >= floor:
            found.append(both)
    if not found:
        return Found(first.scores[:0], first.boxes[:0], first.landmarks[:0])
    found.sort(key=lambda each: -each[0])
    scores, boxes, landmarks = (np.array(column, np.float32) for column in zip(*found, strict=True))
    kept = suppress(boxes)
    return Found(scores[kept], boxes[kept], landmarks[kept])


def _closer(
    net: Net, pixels: NDArray[np.uint8], score: float, box: NDArray[np.float32], points: NDArray[np.float32], floor: float
) -> tuple[float, NDArray[np.float32], NDArray[np.float32]] | None:
    """The candidate as both looks together see it; None where the second one sees none."""
    rows, columns = pixels.shape[:2]
    side = float(max(box[2:] - box[:2]))
    if side < 1:
        return score, box, points
    tall = CONFIRM["window"] * side
    width, height = min(tall * WIDTH / HEIGHT, columns), min(tall, rows)
    left = min(max((box[0] + box[2] - width) / 2, 0.0), columns - width)
    top = min(max((box[1] + box[3] - height) / 2, 0.0), rows - height)
    # As the appliance cuts it, whose pictures have colour planes of half the size (moodify.vision.pixels.Part).
    x, y = int(left) // 2 * 2, int(top) // 2 * 2
    part = pixels[y : y + (int(top + height) - y) // 4 * 4, x : x + (int(left + width) - x) // 2 * 2]
    seen = find(net, np.ascontiguousarray(part), min(floor, CONFIRM["unsure_from"]), None if tall <= rows else HEIGHT / tall)
    corner = np.array([x, y], np.float32)
    boxes = seen.boxes + np.tile(corner, 2)
    same = np.flatnonzero(overlaps(boxes, box[None])[:, 0] >= _SAME) if len(boxes) else np.array([], int)
    if not len(same):
        return None
    best = int(same[0])
    logits = [float(np.log(probability / (1 - probability))) for probability in np.clip([score, seen.scores[best]], 1e-6, 1 - 1e-6)]
    return float(1 / (1 + np.exp(-np.average(logits, weights=[1 - CONFIRM["weight"], CONFIRM["weight"]])))), boxes[best], seen.landmarks[best] + corner
