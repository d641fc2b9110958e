"""How well the classifier reads labelled faces."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from moodify.errors import DataError
from moodify.types import Emotion
from moodify.vision.evaluation.metrics import Calibration, Share, accuracy_by_confidence, calibration, confusion, f1, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from moodify.vision.port import Classifier

ENOUGH: Final = 30
"""Pictures that a class needs for its F1 to count in the mean."""
MOST_CONFIDENT: Final = 0.7
"""The share of faces whose accuracy is named beside the curve."""

_LABELS: Final = tuple(Emotion)
_COLUMNS: Final = (*(emotion.value for emotion in Emotion), "unknown", "NF")
"""What FER+'s ten annotators could vote for (Barsoum et al., ICMI 2016); NF is no face."""
_VOTERS: Final = 10
_COVERAGES: Final = tuple(n / 20 for n in range(1, 21))
_FORMAT: Final = (
    "it must be an .npz with pixels: uint8 (faces, rows, columns), grey; ferplus_votes: whole numbers (faces, 10), FER+'s votes; "
    f"vote_columns: the votes' names, {', '.join(_COLUMNS)} (docs/models.md writes one)"
)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces that most annotators agree on."""

    pixels: NDArray[np.uint8]
    """(n, height, width), grey."""
    labels: NDArray[np.int64]
    """(n,), places in :class:`~moodify.types.Emotion`."""
    left_out: int
    """Faces of the file without a majority for one of the eight emotions."""


def read_faces(file: Path) -> LabelledFaces:
    """Read faces with FER+ votes and keep those with a label by FER+'s majority protocol.

    Single votes are taken for mistakes; a face is kept when its top class has more than half of all ten votes and is an emotion.

    Raises:
        DataError: the file, or an array in it, is not what it should be; or no face is left.
    """
    arrays = _arrays(file, ("pixels", "ferplus_votes", "vote_columns"))
    pixels, votes, columns = (arrays[name] for name in ("pixels", "ferplus_votes", "vote_columns"))
    names = [str(name) for name in columns.ravel()]
    if sorted(names) != sorted(_COLUMNS):
        raise DataError(f"{file}: vote_columns are {', '.join(names)[:200]}; expected {', '.join(_COLUMNS)}")
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape[1:]:  # noqa: PLR2004 - faces, rows, columns
        raise DataError(f"{file}: pixels is {pixels.dtype} {list(pixels.shape)}; {_FORMAT}")
    if votes.shape != (len(pixels), _VOTERS) or votes.dtype.kind not in "iu":
        raise DataError(f"{file}: ferplus_votes is {votes.dtype} {list(votes.shape)} beside {len(pixels)} faces; {_FORMAT}")
    votes = votes[:, [names.index(name) for name in _COLUMNS]].astype(np.int64)
    votes[votes <= 1] = 0
    labels = votes.argmax(1)
    kept = (votes.max(1) * 2 > _VOTERS) & (labels < len(_LABELS))
    if not kept.any():
        raise DataError(f"{file}: none of {len(pixels)} faces has a majority for one emotion; give a file with FER+ votes")
    return LabelledFaces(pixels[kept], labels[kept], int((~kept).sum()))


def _arrays(file: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    try:
        # Opened here, for np.load leaves open what turns out to be no archive.
        with file.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{file}: is a single array; {_FORMAT}")
            if missing := [name for name in names if name not in archive.files]:
                raise DataError(f"{file}: has no {', '.join(missing)}, only {', '.join(archive.files)[:200] or 'nothing'}; {_FORMAT}")
            return {name: archive[name] for name in names}
    except FileNotFoundError as error:
        raise DataError(f"{file}: there is no such file; check the path") from error
    except IsADirectoryError as error:
        raise DataError(f"{file}: is a folder; give the path of an .npz file") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file}: can't be read as an .npz ({' '.join(str(error).split())[:200]}); {_FORMAT}") from error
    except MemoryError as error:
        raise DataError(f"{file}: holds more than fits in memory; give a smaller file") from error
    except OSError as error:
        raise DataError(f"{file}: can't be read ({error.strerror or error}); check the path and its permissions") from error


@dataclass(frozen=True, slots=True, eq=False)
class EmotionFigures:
    """What the classifier said of each face; every figure comes from here."""

    labels: NDArray[np.int64]
    """(n,)."""
    predicted: NDArray[np.int64]
    """(n,), the top emotion."""
    confidence: NDArray[np.float64]
    """(n,), its calibrated probability."""
    left_out: int
    threshold: float
    """Confidence from which the appliance judges a face."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each face was read right (n,)."""
        return np.asarray(self.predicted == self.labels, bool)

    @property
    def accuracy(self) -> Share:
        """Of all faces, judged or not."""
        return Share(int(self.right.sum()), len(self.labels))

    @property
    def table(self) -> NDArray[np.int64]:
        """Counts (8, 8), the true emotion by row."""
        return confusion(self.labels, self.predicted, len(_LABELS))

    @property
    def calibration(self) -> Calibration:
        """Of the top emotion."""
        return calibration(self.confidence, self.right)

    @property
    def judged(self) -> tuple[Share, Share]:
        """The share of faces at or above the threshold, and of those the share that was read right."""
        judged = self.confidence >= self.threshold
        count = int(judged.sum())
        return Share(count, len(judged)), Share(int((judged & self.right).sum()), count)

    def most_confident(self, share: float) -> Share:
        """Return how many of the most confident ``share`` of the faces were read right."""
        count = max(1, round(share * len(self.labels)))
        order = np.argsort(-self.confidence, kind="stable")[:count]
        return Share(int(self.right[order].sum()), count)

    def accuracies(self) -> NDArray[np.float64]:
        """Return the accuracy (n,) of the 1, 2, … n most confident faces."""
        return accuracy_by_confidence(self.confidence, self.right)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as JSON values: fractions, never percent."""
        table, scores = self.table, f1(self.table)
        counts, predicted = table.sum(1), table.sum(0)
        counted = [i for i in range(len(_LABELS)) if counts[i] >= ENOUGH]
        share, accuracy = self.judged
        return {
            "faces": len(self.labels),
            "left_out": self.left_out,
            "accuracy": rounded(self.accuracy.value),
            "accuracy_interval95": [rounded(end) for end in self.accuracy.interval95],
            "macro_f1": rounded(np.mean(scores[counted])) if counted else None,
            "macro_f1_classes": [_LABELS[i].value for i in counted],
            "ece": rounded(self.calibration.error),
            "per_class": {
                label.value: Share(int(table[i, i]), int(counts[i])).as_json() | {"precision": rounded(table[i, i] / max(1, predicted[i])), "f1": rounded(scores[i])}
                for i, label in enumerate(_LABELS)
            },
            "judged": {"threshold": self.threshold, "share": share.as_json(), "accuracy": accuracy.as_json()},
            "most_confident_70": self.most_confident(MOST_CONFIDENT).as_json(),
            "risk_coverage": [{"coverage": coverage, "accuracy": rounded(self.most_confident(coverage).value)} for coverage in _COVERAGES],
            "confusion": {"labels": [label.value for label in _LABELS], "counts": table.tolist()},
        }


def evaluate(classifier: Classifier, faces: LabelledFaces, threshold: float, shown: Iterable[NDArray[np.uint8]] | None = None) -> EmotionFigures:
    """Read every face with ``classifier``.

    Args:
        classifier: the appliance's; faces of another size than its crops are resized.
        faces: what it reads.
        threshold: confidence from which a face counts as judged.
        shown: the faces' pixels again, from an iterator that shows progress.

    Raises:
        ModelError: the model fails while it runs.
    """
    side = classifier.framing.side
    read = [classifier.emotions(face if face.shape == (side, side) else np.asarray(cv2.resize(face, (side, side)), np.uint8)) for face in (shown or faces.pixels)]
    predicted = np.array([_LABELS.index(scores.top) for scores in read], np.int64)
    return EmotionFigures(faces.labels, predicted, np.array([scores.confidence for scores in read]), faces.left_out, threshold)
