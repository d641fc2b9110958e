"""Pictures with faces and without: read, rid of near copies, and split before anything is tuned.

People are split by picture, frames by identity, mask pictures by file, negatives by picture. The negatives that were held out are
split once more: the threshold is tuned on one half, false positives are reported on the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recipe.detector import LANDMARKS
from recipe.errors import DataMissingError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_SPLIT_SEED = 20_26
_NEAR_BITS = 3
"""Pictures whose 64-bit difference hashes differ in at most this many bits are copies."""
_SURE_TEACHER = 0.65
"""A teacher's box below this score is neither a face nor background: it is ignored."""
HELD_OUT = {"people": 400, "faces": 45, "masks": 205, "negatives": 600}
"""How many pictures are held out (of ``faces``: how many identities)."""


@dataclass(frozen=True)
class Picture:
    """A picture with its boxes.

    Attributes:
        name: folder and file.
        pixels: uint8 RGB ``[H, W, 3]``.
        boxes: float32 ``[N, 4]``, x0 y0 x1 y1 in pixels.
        landmarks: float32 ``[N, 5, 2]`` in pixels, NaN where unknown.
        ignored: bool ``[N]``: neither face nor background.
        masked: bool ``[N]``: the face wears a mask.
    """

    name: str
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignored: NDArray[np.bool_]
    masked: NDArray[np.bool_]

    @property
    def bare(self) -> NDArray[np.bool_]:
        """Whether each is surely a face, and without a mask: bool ``[N]``."""
        return ~self.ignored & ~self.masked


@dataclass(frozen=True)
class Pictures:
    """The four sources, one side of the split, and cut-out faces, which are only trained on."""

    people: list[Picture]
    faces: list[Picture]
    masks: list[Picture]
    negatives: list[Picture]
    crops: list[Picture] = field(default_factory=list)


def load(data: Path, limit: int | None = None, held_out: Mapping[str, int] = HELD_OUT) -> tuple[Pictures, Pictures]:
    """The pictures to train on and those held out.

    Args:
        data: the data folder.
        limit: read at most this many of each source, for a quick run.
        held_out: how many are held out of each; fewer are always among more.

    Raises:
        DataMissingError: a folder or list is not there.
    """
    root = data / "detection"
    kept: dict[str, list[Picture]] = {}
    held: dict[str, list[Picture]] = {}
    for source, number in held_out.items():
        records = _records(root, source)
        if limit is not None:
            records = records[:limit]
        pictures = [_read(root / source, source, record) for record in records]
        groups: list[Hashable] = [record.get("person", record["file"]) for record in records]
        fresh = _without_copies(pictures)
        pictures, groups = [pictures[i] for i in fresh], [groups[i] for i in fresh]
        names = sorted({str(group) for group in groups})
        chosen = {names[i] for i in np.random.default_rng(_SPLIT_SEED).permutation(len(names))[: min(number, len(names) // 2)]}
        kept[source] = [p for p, group in zip(pictures, groups, strict=True) if str(group) not in chosen]
        held[source] = [p for p, group in zip(pictures, groups, strict=True) if str(group) in chosen]
    return Pictures(**kept), Pictures(**held)


def _records(root: Path, source: str) -> list[dict[str, Any]]:
    folder, lines = root / source, root / f"{source}.jsonl"
    for path in (folder,) if source == "negatives" else (folder, lines):
        if not path.exists():
            raise DataMissingError.of(path)
    if source == "negatives":
        return [{"file": path.name} for path in sorted(folder.glob("*.jpg"))]
    return [json.loads(line) for line in lines.read_text().splitlines()]


def _read(folder: Path, source: str, record: dict[str, Any]) -> Picture:
    file = folder / record["file"]
    bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DataMissingError(f"{file} is missing or no picture: copy the data folder again")
    teacher, human = record.get("teacher", []), record.get("boxes", [])
    boxes = np.array([box[:4] for box in (*teacher, *human)], np.float32).reshape(-1, 4)
    landmarks = np.full((len(boxes), len(LANDMARKS), 2), np.nan, np.float32)
    for i, box in enumerate(teacher):
        landmarks[i] = np.reshape(box[5:15], (5, 2))
    ignored = np.array([box[4] < _SURE_TEACHER for box in teacher] + [False] * len(human), bool)
    masked = np.array([bool(record.get("masked"))] * len(teacher) + [box[4] != "without_mask" for box in human], bool)
    return Picture(
        f"{source}/{record['file']}",
        np.ascontiguousarray(bgr[..., ::-1]),
        boxes,
        landmarks,
        ignored,
        masked,
    )


def _without_copies(pictures: list[Picture]) -> list[int]:
    """Indices of the pictures of which none before is a near copy.

    Frames of one person are meant to be alike and are split by identity, so only nearly equal pictures go.
    """
    hashes = _hashes(picture.pixels for picture in pictures)
    fresh: list[int] = []
    for i, code in enumerate(hashes):
        # NumPy 1, which the appliance may have, does not count bits.
        differ = np.unpackbits((hashes[fresh] ^ code).view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)
        if differ.min(initial=64) > _NEAR_BITS:
            fresh.append(i)
    return fresh


def _hashes(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint64]:
    """Difference hashes: in which of 8x8 places brightness grows to the right."""
    codes = []
    for pixels in pictures:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
        bits = (small[:, 1:] > small[:, :-1]).ravel()
        codes.append(np.packbits(bits).view(np.uint64)[0])
    return np.array(codes, np.uint64)
