import math

import numpy as np
import pytest

from moodify.vision.detector import Level, suppress
from moodify.vision.manifest import OutputTensor

ROWS, COLUMNS, STRIDE = 8, 10, 32
LOGIT_SCALE, BOX_SCALE = 0.1, 0.02


def output(role, channels, scale, zero_point):
    return OutputTensor(name=role, role=role, shape=(1, ROWS, COLUMNS, channels), dtype="int8", scale=scale, zero_point=zero_point, stride=STRIDE)


OBJECTNESS = output("objectness", 1, LOGIT_SCALE, 20)
BOX = output("box", 4, BOX_SCALE, -100)
LANDMARKS = output("landmarks", 10, BOX_SCALE, 3)


def tensors():
    return tuple(np.full(part.shape, value, np.int8) for part, value in ((OBJECTNESS, -128), (BOX, -100), (LANDMARKS, 3)))


def level(threshold=0.5):
    return Level(OBJECTNESS, BOX, LANDMARKS, threshold=threshold)


def test_nothing_above_the_threshold_is_nothing():
    assert level().decode(*tensors()) is None


def test_a_known_cell_gives_the_known_box_and_landmarks():
    objectness, box, landmarks = tensors()
    objectness[0, 2, 5, 0] = 20 + 30
    box[0, 2, 5] = -100 + np.array([50, 60, 70, 80])
    landmarks[0, 2, 5] = 3 + np.array([-20, -10, 20, -10, 0, 5, -15, 30, 15, 30])
    found = level().decode(objectness, box, landmarks)
    assert found.scores == pytest.approx([1 / (1 + math.exp(-3.0))])
    x, y = 5.5 * 32, 2.5 * 32
    assert found.boxes[0] == pytest.approx([x - 32, y - 1.2 * 32, x + 1.4 * 32, y + 1.6 * 32], rel=1e-5)
    assert found.landmarks[0] == pytest.approx(np.array([[x - 12.8, y - 6.4], [x + 12.8, y - 6.4], [x, y + 3.2], [x - 9.6, y + 19.2], [x + 9.6, y + 19.2]]), rel=1e-5)


@pytest.mark.parametrize("threshold", [0.001, 0.1, 0.3, 0.5, 0.52, 0.9, 0.999])
def test_the_threshold_as_int8_lets_through_what_the_real_one_would(threshold):
    for value in range(-128, 128):
        objectness, box, landmarks = tensors()
        objectness[0, 0, 0, 0] = value
        found = level(threshold).decode(objectness, box, landmarks)
        score = 1 / (1 + math.exp(-(value - 20) * LOGIT_SCALE))
        if abs(score - threshold) > 1e-9:
            assert (found is not None and 0 in np.flatnonzero(found.boxes[:, 0] == 16)) == (score >= threshold)


def test_a_threshold_beyond_the_range_lets_nothing_through():
    objectness, box, landmarks = tensors()
    objectness[:] = 127
    assert level(1 - 1e-6).decode(objectness, box, landmarks) is None


def test_suppression_keeps_the_best_of_overlapping_boxes():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 0, 30, 10], [0, 0, 10, 9]], np.float32)
    scores = np.array([0.8, 0.9, 0.7, 0.85], np.float32)
    assert suppress(boxes, scores, iou=0.5, most=10) == [1, 2]


def test_suppression_keeps_boxes_that_overlap_less():
    boxes = np.array([[0, 0, 10, 10], [8, 0, 18, 10]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.6], np.float32), iou=0.5, most=10) == [1, 0]


def test_suppression_keeps_at_most_so_many():
    boxes = np.array([[i * 20, 0, i * 20 + 10, 10] for i in range(5)], np.float32)
    assert suppress(boxes, np.arange(5, dtype=np.float32), iou=0.5, most=2) == [4, 3]


def test_suppression_takes_boxes_without_area():
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5]], np.float32)
    assert 0 in suppress(boxes, np.array([0.9, 0.8], np.float32), iou=0.5, most=10)
