"""The whole chain as the appliance runs it: face found, brought into the classifier's framing, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recipe.detector.confirm import see
from recipe.detector.decode import Found, Net, find
from recipe.emotion import SIDE
from recipe.errors import RecipeError
from recipe.letterbox import PADDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recipe.detector.data import Picture

Framing = NDArray[np.float64]
"""Where the five landmarks lie in the 48x48 crop: ``[5, 2]``, counted from the corner of the first pixel."""

_MEASURED_SCALES = (1.4, 2.0, 2.8)
"""How much a 48-pixel face is enlarged before the detector looks at it."""
_SURE = 0.6
_ROUGHLY = 20
_USUAL = ((14.8, 18.0), (33.5, 18.0), (24.4, 28.7), (16.2, 35.5), (32.3, 35.4))


def measure_framing(net: Net, faces: NDArray[np.uint8], least: int) -> tuple[Framing, int]:
    """The mean landmarks of ``faces`` ``[N, 48, 48]`` as the detector sees them, and from how many faces they come.

    Each face is enlarged and put on a blank canvas with a margin, because the crops cut chins and foreheads off. The mean is over
    faces on which the detector is sure, without the outlying tenth. A quick run's detector sees next to nothing: its framing is a
    usual one.

    Raises:
        RecipeError: the detector is sure of fewer than ``least`` faces.
    """
    seen = []
    for i, face in enumerate(faces):
        scale = _MEASURED_SCALES[i % len(_MEASURED_SCALES)]
        side = round(SIDE * scale)
        margin = side // 2
        canvas = np.full((side + 2 * margin, round((side + 2 * margin) * 1.25), 3), PADDING, np.uint8)
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
        canvas[margin : margin + side, margin : margin + side] = large[..., None]
        found = find(net, canvas, _SURE)
        if len(found.scores) == 1:
            seen.append((found.landmarks[0] - margin) * (SIDE / side))
    if len(seen) < least:
        raise RecipeError(f"the detector sees a face in only {len(seen)} of {len(faces)} pictures: train it first, with models/train --only detector")
    if len(seen) < _ROUGHLY:
        return np.array(_USUAL), 0
    points = np.array(seen, np.float64)
    middle = np.median(points, axis=0)
    distance = np.linalg.norm(points - middle, axis=2).mean(1)
    kept = points[distance <= np.quantile(distance, 0.9)]
    return kept.mean(0), len(kept)


def similarity(source: NDArray[np.floating[Any]], target: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The matrix ``[2, 3]`` of the turn, zoom and shift that brings ``source`` ``[N, 2]`` nearest to ``target``.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE PAMI 13 (1991); in the plane
    and without reflections it is a linear regression on complex numbers.
    """
    a, b = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    factor = np.vdot(a - a.mean(), b - b.mean()) / np.vdot(a - a.mean(), a - a.mean())
    offset = b.mean() - factor * a.mean()
    return np.array([[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]])


def crop(grey: NDArray[np.uint8], landmarks: NDArray[np.float32], framing: Framing) -> NDArray[np.uint8]:
    """The face ``[48, 48]`` with the ``landmarks`` ``[5, 2]`` brought to ``framing``; a large face is averaged, not sampled."""
    matrix = similarity(landmarks, framing)
    zoom = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    # As the appliance does it (moodify.vision.align): of a large face a sample every pixel and a half, of a smaller one every pixel.
    fine = max(1, min(int(np.ceil(1 / zoom)), 2), int(np.ceil(1 / zoom / 1.5)))
    matrix = matrix * fine
    # Landmarks count from the corner of the first pixel, warpAffine from its centre.
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    large = cv2.warpAffine(grey, matrix, (fine * SIDE,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma ``[H, W]`` of RGB ``[H, W, 3]``."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def judge(
    net: Net,
    classify: Callable[[NDArray[np.uint8]], NDArray[np.float64]],
    framing: Framing,
    pixels: NDArray[np.uint8],
    threshold: float,
) -> tuple[Found, NDArray[np.float64]]:
    """The faces in ``pixels`` and, for each, the chances ``[N, 8]`` that ``classify`` gives to its crop."""
    found = see(net, pixels, threshold)
    grey = grey_of(pixels)
    chances = [classify(crop(grey, landmarks, framing)) for landmarks in found.landmarks]
    return found, np.array(chances).reshape(len(chances), -1)


def in_rooms(
    net: Net,
    classify: Callable[[NDArray[np.uint8]], NDArray[np.float64]],
    framing: Framing,
    faces: NDArray[np.uint8],
    labels: NDArray[np.int64],
    rooms: Sequence[Picture],
    side: int,
    threshold: float,
) -> dict[str, float | int]:
    """Accuracy of the whole chain on faces pasted into rooms, beside that on the faces themselves.

    Args:
        net: detector.
        classify: chances ``[8]`` of a crop ``[48, 48]``.
        framing: where landmarks belong.
        faces: ``[N, 48, 48]``.
        labels: ``[N]``.
        rooms: pictures without faces.
        side: pixels that the crop takes in a 320x256 frame.
        threshold: of the detector.
    """
    rng = np.random.default_rng(3)
    found_count = right = right_alone = 0
    for face, label in zip(faces, labels, strict=True):
        room = rooms[int(rng.integers(len(rooms)))].pixels
        frame = np.ascontiguousarray(cv2.resize(room, (320, 256)), np.uint8)
        how = cv2.INTER_AREA if side < SIDE else cv2.INTER_CUBIC
        x, y = int(rng.integers(0, 320 - side)), int(rng.integers(0, 256 - side))
        frame[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=how)[..., None]
        found = see(net, frame, threshold)
        centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - np.array([x, y]) - side / 2
        near = np.flatnonzero(np.abs(centres).max(1, initial=0.0) < side / 2) if len(centres) else np.array([], int)
        if not len(near):
            continue
        found_count += 1
        right += int(classify(crop(grey_of(frame), found.landmarks[near[0]], framing)).argmax() == label)
        right_alone += int(classify(face).argmax() == label)
    return {
        "side": side,
        "count": len(faces),
        "found": found_count,
        "accuracy": round(right / max(1, found_count), 4),
        "accuracy_alone": round(right_alone / max(1, found_count), 4),
    }
