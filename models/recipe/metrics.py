"""Figures and how sure they are: intervals, calibration, average precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import RecipeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Z95 = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
_BINS = 15
"""Of the expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks")."""
_DRAWS = 1000
"""Of the bootstrap."""


@dataclass(frozen=True)
class Share:
    """``hits`` of ``count`` with its Wilson interval at 95 %."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing, whose interval is everything."""
        return self.hits / self.count if self.count else 0.0

    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927), which holds near 0 and 1 too."""
        if not self.count:
            return 0.0, 1.0
        p, n, z = self.value, self.count, _Z95
        centre = p + z * z / (2 * n)
        reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (centre - reach) / (1 + z * z / n)), min(1.0, (centre + reach) / (1 + z * z / n))

    def as_dict(self) -> dict[str, float | int | list[float]]:
        """For a manifest."""
        low, high = self.interval()
        return {"value": round(self.value, 4), "count": self.count, "interval95": [round(low, 4), round(high, 4)]}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities ``[N, K]``."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True), np.float64)


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature that makes ``softmax(logits / T)`` most likely for ``labels``, by golden section on log T."""

    def cost(log_t: float) -> float:
        likelihood = softmax(logits / np.float32(math.exp(log_t)))[np.arange(len(labels)), labels]
        return -float(np.log(np.maximum(likelihood, 1e-12)).mean())

    low, high, golden = math.log(0.2), math.log(5.0), (math.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - golden * (high - low), low + golden * (high - low)
        if cost(a) < cost(b):
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


def calibration_error(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Expected calibration error of the top class, 15 bins of equal width."""
    top = chances.max(1)
    right = chances.argmax(1) == labels
    bins = np.minimum((top * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for b in np.unique(bins):
        inside = bins == b
        error += float(inside.mean()) * abs(float(right[inside].mean()) - float(top[inside].mean()))
    return error


def confusion(predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts ``[true, predicted]``."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, predicted), 1)
    return table


def f1(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class of a confusion table."""
    return np.asarray(2 * np.diag(table) / np.maximum(table.sum(0) + table.sum(1), 1), np.float64)


def median_interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the median of ``values``, by the bootstrap; of nothing, everything."""
    if not len(values):
        return 0.0, 1.0
    rng = np.random.default_rng(seed)
    draws = [float(np.median(values[rng.integers(0, len(values), len(values))])) for _ in range(_DRAWS)]
    return float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))


def lowest_threshold(best: NDArray[np.float32], one_in: int, least: float) -> float:
    """The lowest threshold, in steps of 0.01 from ``least``, at which at most one negative in ``one_in`` has a false positive.

    Args:
        best: the highest score in each negative ``[N]``.
        one_in: how many negatives may share one false positive.
        least: the threshold is no lower than this.

    Raises:
        RecipeError: there is none below 1.
    """
    for step in range(round(least * 100), 100):
        threshold = step / 100
        if int((best >= threshold).sum()) * one_in <= len(best):
            return threshold
    raise RecipeError("the detector is sure of faces where there are none: train it longer")


def overlaps(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """IoU ``[N, M]`` of boxes ``[N, 4]`` and ``[M, 4]``."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inner = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    return np.asarray(inner / np.maximum(area_a[:, None] + area_b[None] - inner, 1e-9), np.float32)


def average_precision(scores: NDArray[np.float32], hits: NDArray[np.bool_], truths: int) -> float:
    """Area under precision over recall, every point used (as PASCAL VOC since 2010)."""
    if not truths:
        return math.nan
    order = np.argsort(-scores, kind="stable")
    true = np.cumsum(hits[order])
    precision = true / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = true / truths
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope)) if len(order) else 0.0
