"""What a second look at the moving region is worth: measured with the appliance's own gate, detector and second look.

``models/look`` prints the table that stands in docs/models.md. Held-out people are pasted into held-out rooms at the size of the camera's
detail; the detector first sees the whole at the size of its input. Before, the room was empty, or the same person stood beside.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from moodify.config.model import VisionConfig
from moodify.types import Box, Frame, Image, PixelLayout
from moodify.vision import closer
from moodify.vision.eyes import open_models
from moodify.vision.gate import MotionGate
from recipe.detector import data
from recipe.detector.paste import largest, paste
from recipe.metrics import Share, overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodify.types import Face
    from moodify.vision.port import Detector
    from recipe.detector.data import Picture

_PROJECT = Path(__file__).resolve().parents[2]
_DETAIL, _IMAGE = (1280, 960), (320, 240)
"""Width and height of what the camera gives and of what the first look sees: the configuration's defaults."""
_WIDTHS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08)
"""Of a face, in shares of the frame's width."""
_BUST = 0.6
"""Only pictures whose face is no wider than this share: the rest shows nothing of whom it moves with."""
_SAME = 0.5
"""IoU from which a box is on the face."""
_BEFORE = 4
"""Frames that the gate has seen before."""
_ROUNDS = 300


class Seen(NamedTuple):
    """What became of one person."""

    moved: bool
    first: bool
    second: bool
    """Found by the first look, or by the second where the first found nobody and something moved."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="models/look", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=_PROJECT.parent / "shared" / "data", help="the data folder (default: ../shared/data)")
    parser.add_argument("--count", type=int, default=200, help="people at each size (default: 200)")
    parser.add_argument("--training", action="store_true", help="measure on the training pictures instead: what a choice may rest on")
    asked = parser.parse_args()
    kept, held = data.load(asked.data)
    side = kept if asked.training else held
    rooms = side.negatives if asked.training else side.negatives[1::2]
    detector, _ = open_models(VisionConfig(threads=1))
    people = [p for p in side.people if not p.ignored.all() and not p.masked.any() and _bust(p)]
    say = sys.stdout.write
    say(f"{len(people)} people, {len(rooms)} rooms, {asked.count} of each size and kind\n\n")
    say("| face, share of the width | came in: moved / first look / with the second | stood beside: moved / first look / with the second |\n|---|---|---|\n")
    for width in _WIDTHS:
        cells = []
        for beside in (None, 0.6):
            seen = [_look(detector, people, rooms, width, i, beside) for i in range(asked.count)]
            cells.append(" / ".join(f"{np.mean(column):.1%}" for column in zip(*seen, strict=True)))
        say(f"| {width:.0%} | {' | '.join(cells)} |\n")
    first, second = _false(detector, rooms)
    say(f"\nrooms in which the first look sees somebody: {_said(first)}\nof the others, those in which a second look at a random place does: {_said(second)}\n")
    for name, ms in _cost(detector).items():
        say(f"{name}: {ms:.2f} ms of one core\n")


def _bust(picture: Picture) -> bool:
    box = picture.boxes[largest(picture)]
    return float(box[2] - box[0]) <= _BUST * picture.pixels.shape[1]


def _frame(pixels: NDArray[np.uint8], sequence: int) -> Frame:
    small = np.asarray(cv2.resize(pixels, _IMAGE, interpolation=cv2.INTER_AREA), np.uint8)
    return Frame(Image(small, PixelLayout.RGB), sequence / 5, sequence, Image(pixels, PixelLayout.RGB))


def _look(detector: Detector, people: Sequence[Picture], rooms: Sequence[Picture], share: float, number: int, beside: float | None) -> Seen:
    """Show a person who came in (``beside`` None), or moved by so many widths of the face."""
    face_width = share * _DETAIL[0]
    aside = 2 * _DETAIL[0] if beside is None else round(beside * face_width)
    (before, _), (now, box) = (paste(np.random.default_rng([7, number]), people, rooms, face_width, *_DETAIL, far) for far in (aside, 0))
    gate = MotionGate(VisionConfig().motion_threshold)
    for i in range(_BEFORE):
        gate.look(_frame(before, i).image)
    frame = _frame(now, _BEFORE)
    motion = gate.look(frame.image)
    found = detector.faces(frame.image)
    first = _hit(found, box)
    second = first
    if not found and motion.region is not None:
        second = _hit(closer.SecondLook(detector).faces(frame, motion.region), box)
    return Seen(motion.moved, first, second)


def _hit(faces: Sequence[Face], box: NDArray[np.float32]) -> bool:
    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4) * np.float32(_DETAIL[0] / _IMAGE[0])
    return bool(len(boxes) and overlaps(boxes, box[None]).max() >= _SAME)


def _false(detector: Detector, rooms: Sequence[Picture]) -> tuple[Share, Share]:
    """Rooms with a false face at the first look, and of the others those with one at a second look at a random place."""
    rng = np.random.default_rng(5)
    first, second, looked = 0, 0, 0
    for room in rooms:
        frame = _frame(np.asarray(cv2.resize(room.pixels, _DETAIL, interpolation=cv2.INTER_LINEAR), np.uint8), 0)
        if detector.faces(frame.image):
            first += 1
            continue
        looked += 1
        second += bool(closer.SecondLook(detector).faces(frame, _anywhere(rng)))
    return Share(first, len(rooms)), Share(second, looked)


def _anywhere(rng: np.random.Generator) -> Box:
    x, y = rng.uniform((0, 0), _IMAGE)
    return Box(float(x), float(y), float(x), float(y))


def _cost(detector: Detector) -> dict[str, float]:
    """Milliseconds of the processor that both looks take, at a frame as the Pi's camera gives it: I420, detail of 1280 pixels."""
    rng = np.random.default_rng(1)
    image, detail = (Image(rng.integers(0, 256, (height * 3 // 2, width), np.uint8), PixelLayout.I420) for width, height in (_IMAGE, _DETAIL))
    frame, second, region = Frame(image, 0.0, 0, detail), closer.SecondLook(detector), _anywhere(rng)
    looks = {"first look": lambda: detector.faces(image), "second look": lambda: second.faces(frame, region)}
    took: dict[str, list[float]] = {name: [] for name in looks}
    for _ in range(_ROUNDS):
        for name, call in looks.items():
            began = time.thread_time()
            call()
            took[name].append((time.thread_time() - began) * 1e3)
    return {name: statistics.median(values) for name, values in took.items()}


def _said(share: Share) -> str:
    low, high = share.interval()
    return f"{share.value:.1%} ({low:.1%} to {high:.1%}, {share.count})"


if __name__ == "__main__":
    main()
