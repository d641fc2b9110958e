import math

import numpy as np
import pytest

from moodify.vision.boxes import overlaps
from moodify.vision.evaluation.metrics import (
    Share,
    accuracy_by_confidence,
    bootstrap95,
    calibration,
    confusion,
    f1,
    precision_recall,
)


@pytest.mark.parametrize(
    ("hits", "count", "interval"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (5, 10, (0.2366, 0.7634)), (81, 263, (0.2553, 0.3662)), (0, 0, (0.0, 1.0))],
)
def test_wilsons_interval_is_as_tables_have_it(hits, count, interval):
    assert Share(hits, count).interval95 == pytest.approx(interval, abs=1e-4)


def test_a_share_of_nothing_is_no_number_out_of_range():
    assert Share(0, 0).as_json() == {"value": 0.0, "count": 0, "interval95": [0.0, 1.0]}


def test_who_is_as_right_as_sure_has_no_calibration_error():
    assert calibration(np.full(10, 0.7), np.arange(10) < 7).error == pytest.approx(0)


def test_the_calibration_error_weighs_the_bins_by_their_counts():
    confidence, right = np.array([0.9] * 30 + [0.5] * 10), np.array([True] * 15 + [False] * 15 + [True] * 5 + [False] * 5)
    assert calibration(confidence, right).error == pytest.approx(0.75 * 0.4)


def test_full_confidence_belongs_to_the_last_bin():
    found = calibration(np.array([1.0]), np.array([True]))
    assert found.counts.tolist() == [0] * 14 + [1]
    assert found.error == 0


def test_confusion_has_the_truth_by_row():
    table = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert f1(table).tolist() == pytest.approx([2 / 3, 0.5, 0])


def test_the_surest_come_first_in_risk_against_coverage():
    assert accuracy_by_confidence(np.array([0.3, 0.9, 0.6]), np.array([False, True, True])).tolist() == pytest.approx([1, 1, 2 / 3])


def test_overlap_is_intersection_over_union():
    boxes = np.array([[0, 0, 2, 2], [5, 5, 5, 5]], np.float32)
    assert overlaps(boxes, np.array([[1, 0, 3, 2], [0, 0, 2, 2]], np.float32)).tolist() == [[pytest.approx(1 / 3), 1], [0, 0]]


def test_average_precision_uses_every_point():
    """Hits at ranks 1, 3 and 4 of four boxes on four faces: precisions 1, 3/4 and 3/4, made falling."""
    curve = precision_recall(np.array([0.5, 0.9, 0.6, 0.7], np.float32), np.array([True, True, True, False]), 4)
    assert curve.area == pytest.approx((1 + 0.75 + 0.75) / 4)


def test_without_a_box_the_average_precision_is_nought():
    assert precision_recall(np.zeros(0, np.float32), np.zeros(0, bool), 3).area == 0


def test_the_bootstrap_holds_the_figure_and_is_the_same_every_time():
    values = np.random.default_rng(1).normal(0.0, 1.0, 400)

    def mean(drawn):
        return float(values[drawn].mean())

    low, high = bootstrap95(mean, len(values), 500)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / math.sqrt(len(values)), rel=0.2)
    assert bootstrap95(mean, len(values), 500) == (low, high)
