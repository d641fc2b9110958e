from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture
def lowest_threshold(monkeypatch):
    monkeypatch.syspath_prepend(RECIPE)
    from recipe.metrics import lowest_threshold

    return lowest_threshold


def scores(*high: float, count: int = 300) -> np.ndarray:
    return np.array([*high, *[0.1] * (count - len(high))], np.float32)


def test_the_threshold_is_the_lowest_that_leaves_one_negative_in_a_hundred(lowest_threshold):
    assert lowest_threshold(scores(0.9, 0.8, 0.7, 0.614, 0.6), 100, 0.4) == 0.62


def test_a_score_on_the_threshold_counts_as_a_false_positive(lowest_threshold):
    assert lowest_threshold(scores(0.9, 0.8, 0.7, 0.625), 100, 0.4) == 0.63
    assert lowest_threshold(scores(0.75, count=99), 100, 0.4) == 0.76


def test_the_threshold_is_no_lower_than_the_least(lowest_threshold):
    assert lowest_threshold(scores(), 100, 0.4) == 0.4


def test_a_detector_that_is_sure_of_every_negative_has_no_threshold(lowest_threshold):
    with pytest.raises(Exception, match="train it longer"):
        lowest_threshold(np.ones(300, np.float32), 100, 0.4)
