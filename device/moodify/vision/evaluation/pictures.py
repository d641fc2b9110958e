"""Pictures with what is known of the faces in them: read from a folder and its list, one JSON object a line."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moodify.errors import DataError
from moodify.pictures import SUFFIXES
from moodify.vision.manifest import problem

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_SURE_TEACHER: Final = 0.65
"""A teacher's box below this score is neither a face nor background: it is ignored."""
_LONGEST_LINE: Final = 1_000_000
_FIX: Final = (
    'write {"file": …, "boxes": [[x0, y0, x1, y1, "with_mask" | "without_mask" | "mask_weared_incorrect"], …]}, '
    'or "teacher": [[x0, y0, x1, y1, score, 10 coordinates], …], or neither (docs/models.md shows one)'
)

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Record(BaseModel):
    # Widths, names of people and the like are for others.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    file: Annotated[str, Field(min_length=1)]
    boxes: list[tuple[Number, Number, Number, Number, Literal["with_mask", "without_mask", "mask_weared_incorrect"]]] | None = None
    teacher: list[Annotated[list[Number], Field(min_length=15, max_length=15)]] | None = None
    masked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture's file and its faces."""

    file: Path
    boxes: NDArray[np.float32]
    """(n, 4): x0, y0, x1, y1 in pixels."""
    landmarks: NDArray[np.float32]
    """(n, 5, 2) in pixels, as in :class:`~moodify.types.Landmarks`; NaN where nobody knows."""
    masked: NDArray[np.bool_]
    """(n,): the face wears a mask, rightly or not."""
    ignored: NDArray[np.bool_]
    """(n,): neither a face nor background, as the teacher is unsure."""
    by_people: bool
    """Whether people drew boxes here; the others are a teacher's, which errs itself."""

    @property
    def negative(self) -> bool:
        """Whether there is no face in it."""
        return not len(self.boxes)

    @property
    def largest(self) -> int | None:
        """Index of the face with the largest area that counts, or None."""
        areas = np.where(self.ignored, -1.0, np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1))
        return int(areas.argmax()) if (areas >= 0).any() else None


def read_pictures(folder: Path, annotations: Path | None = None) -> list[Picture]:
    """Read which pictures there are and what is in them; the pictures themselves are not opened.

    Args:
        folder: of pictures.
        annotations: JSON lines; each names a ``file`` in the folder, with people's ``boxes``, or a ``teacher``'s boxes and
            landmarks (people's are taken where there are both), or neither where there is no face. None takes every picture
            of the folder as one without a face. A picture that is listed again counts once, as listed first.

    Raises:
        DataError: naming file, line, key and value.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: {'is not a folder' if folder.exists() else 'there is no such folder'}; give the folder with the pictures")
    pictures = _all_of(folder) if annotations is None else _listed(folder, annotations)
    if not pictures:
        raise DataError(f"{annotations or folder}: {'has no lines' if annotations else 'has no pictures'}; give pictures to measure with")
    return pictures


def _all_of(folder: Path) -> list[Picture]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise DataError(f"{folder}: can't be read ({error.strerror}); check its permissions") from error
    return [_picture(file, _Record(file=file.name)) for file in files]


def _listed(folder: Path, annotations: Path) -> list[Picture]:
    try:
        with annotations.open("rb") as stream:
            lines = enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1)
            pictures = [_read(folder, f"{annotations}: line {number}", line) for number, line in lines if line.strip()]
    except OSError as error:
        raise DataError(f"{annotations}: can't be read ({error.strerror}); give a file with one JSON object a line") from error
    once: dict[Path, Picture] = {}
    for picture in pictures:
        once.setdefault(picture.file, picture)
    if repeated := len(pictures) - len(once):
        _log.warning("%s: %d lines name a picture again and are left out", annotations, repeated)
    return list(once.values())


def _read(folder: Path, where: str, line: bytes) -> Picture:
    try:
        record = _Record.model_validate_json(line)
    except ValidationError as error:
        problems = "; ".join(problem(detail) for detail in error.errors(include_url=False)[:3])
        raise DataError(f"{where}: {problems}; {_FIX}") from error
    for key, boxes in (("boxes", [box[:4] for box in record.boxes or []]), ("teacher", [tuple(box[:4]) for box in record.teacher or []])):
        for i, (x0, y0, x1, y1) in enumerate(boxes):
            if not (x0 < x1 and y0 < y1):
                raise DataError(f"{where}: {key}.{i} is {[x0, y0, x1, y1]}, which has no area; write x0, y0, x1, y1 with x0 < x1 and y0 < y1")
    file = folder / record.file
    try:
        there = file.is_file()
    except ValueError:
        there = False
    if not there:
        raise DataError(f"{where}: file is {record.file!r}: there is no such picture in {folder}; put it there, or take the line away")
    return _picture(file, record)


def _picture(file: Path, record: _Record) -> Picture:
    if record.boxes is not None:
        boxes = np.array([box[:4] for box in record.boxes], np.float32).reshape(-1, 4)
        masked = np.array([box[4] != "without_mask" for box in record.boxes], bool)
        return Picture(file, boxes, np.full((len(boxes), 5, 2), np.nan, np.float32), masked, np.zeros(len(boxes), bool), by_people=True)
    numbers = np.array(record.teacher or [], np.float32).reshape(-1, 15)
    count = len(numbers)
    return Picture(file, numbers[:, :4], numbers[:, 5:].reshape(-1, 5, 2), np.full(count, record.masked), numbers[:, 4] < _SURE_TEACHER, by_people=False)
