"""Figures and how sure they are: shares with intervals, calibration, average precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BINS: Final = 15
"""Of the expected calibration error (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017)."""

_Z95: Final = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``count``."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 of nothing, whose interval is everything."""
        return self.hits / self.count if self.count else 0.0

    @property
    def interval95(self) -> tuple[float, float]:
        """The score interval of Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927)."""
        if not self.count:
            return 0.0, 1.0
        p, n = self.value, self.count
        middle = p + _Z95**2 / (2 * n)
        reach = _Z95 * math.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2))
        whole = 1 + _Z95**2 / n
        return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)

    def as_json(self) -> dict[str, Any]:
        """Return ``value``, ``count`` and ``interval95``."""
        return {"value": rounded(self.value), "count": self.count, "interval95": [rounded(end) for end in self.interval95]}


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What was claimed and what came true, in bins of equal width over the confidence."""

    counts: NDArray[np.int64]
    """(15,)."""
    confidence: NDArray[np.float64]
    """(15,), mean in each bin; NaN in an empty one."""
    accuracy: NDArray[np.float64]
    """(15,), likewise."""

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap, weighted by the bins' counts."""
        used = self.counts > 0
        gaps = np.abs(self.accuracy[used] - self.confidence[used])
        return float(np.average(gaps, weights=self.counts[used])) if used.any() else 0.0


def calibration(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibration:
    """Return the calibration of judgements: their ``confidence`` (n,) from 0 to 1, and whether each is ``right`` (n,)."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        claimed, true = (np.bincount(place, values, BINS) / counts for values in (confidence, right.astype(np.float64)))
    return Calibration(counts, claimed, true)


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return counts (classes, classes), the true class by row, the predicted one by column."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def f1(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the F1 (classes,) of a confusion table; 0 of a class that neither is there nor was predicted."""
    return np.asarray(2 * np.diag(table) / np.maximum(table.sum(0) + table.sum(1), 1), np.float64)


def accuracy_by_confidence(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the accuracy (n,) of the 1, 2, … n most confident judgements."""
    order = np.argsort(-confidence, kind="stable")
    return np.asarray(np.cumsum(right[order]) / np.arange(1, len(order) + 1), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """The curve that a falling threshold draws."""

    precision: NDArray[np.float64]
    """(n,), at each box found, surest first."""
    recall: NDArray[np.float64]
    """(n,), rising."""

    @property
    def area(self) -> float:
        """Average precision: the area under the curve made falling, every point used, as PASCAL VOC has it since 2010."""
        falling = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(self.recall, prepend=0.0) * falling))


def precision_recall(scores: NDArray[np.float32], hits: NDArray[np.bool_], truths: int) -> PrecisionRecall:
    """Return the curve of boxes with ``scores`` (n,), of which ``hits`` (n,) are on one of ``truths`` faces; ``truths`` is above 0."""
    true = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    return PrecisionRecall(true / np.arange(1, len(true) + 1), true / truths)


def bootstrap95(draw: Callable[[NDArray[np.int64]], float], count: int, draws: int) -> tuple[float, float]:
    """Return the 95 % interval of a figure by the bootstrap of percentiles (Efron 1979), always with the same seed.

    Args:
        draw: the figure of the things with the given indices, which repeat.
        count: how many things there are, above 0.
        draws: how often they are drawn.
    """
    chance = np.random.default_rng(0)
    values = [draw(chance.integers(0, count, count)) for _ in range(draws)]
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def rounded(value: float) -> float:
    """Return a share with the four digits that reports and manifests have."""
    return round(float(value), 4)
