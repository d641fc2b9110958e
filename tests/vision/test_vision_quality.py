import cv2
import numpy as np
import pytest

from moodify.config.model import VisionConfig
from moodify.types import Box, Emotion, Landmarks, NotJudged, Point
from moodify.vision.classifier import AFFECT, scores_of
from moodify.vision.quality import QualityGate, sharpness, yaw

FRONTAL = Landmarks(Point(16, 18), Point(32, 18), Point(24, 27), Point(18, 36), Point(30, 36))


def gate(**settings):
    return QualityGate(VisionConfig(**settings))


def crop(mean=120, contrast=50):
    noise = np.random.default_rng(2).normal(0, 1, (48, 48)).astype(np.float32)
    return np.clip(mean + contrast * cv2.GaussianBlur(noise, (0, 0), 1.0), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("nose_x", "expected"), [(24, 0), (28, 0.5), (16, 1), (32, 1)])
def test_yaw_is_the_nose_beside_the_middle_of_the_eyes(nose_x, expected):
    assert yaw(FRONTAL._replace(nose=Point(nose_x, 27))) == pytest.approx(expected)


def test_yaw_does_not_see_a_tilted_head():
    tilted = Landmarks(*(Point(p.x * 0.8 - p.y * 0.6, p.x * 0.6 + p.y * 0.8) for p in FRONTAL))
    assert yaw(tilted) == pytest.approx(0, abs=1e-9)


def test_eyes_in_one_place_are_turned_away():
    landmarks = FRONTAL._replace(left_eye=FRONTAL.right_eye)
    assert gate().of_place(Box(0, 0, 100, 100), landmarks) is NotJudged.TURNED_AWAY


def test_a_good_face_has_nothing_against_it():
    assert gate().of_place(Box(0, 0, 60, 70), FRONTAL) is None
    assert gate().of_crop(crop()) is None


def test_a_face_below_the_least_width_is_too_small():
    assert gate(min_face_px=50).of_place(Box(0, 0, 49.9, 80), FRONTAL) is NotJudged.TOO_SMALL
    assert gate(min_face_px=50).of_place(Box(0, 0, 50, 80), FRONTAL) is None


def test_a_face_that_looks_aside_is_turned_away():
    assert gate(max_yaw=0.6).of_place(Box(0, 0, 100, 100), FRONTAL._replace(nose=Point(29, 27))) is NotJudged.TURNED_AWAY


def test_dark_and_bright_faces_are_not_judged():
    assert gate().of_crop(crop(mean=10, contrast=10)) is NotJudged.TOO_DARK
    assert gate().of_crop(crop(mean=254, contrast=10)) is NotJudged.TOO_BRIGHT


def test_a_blurred_face_is_not_judged():
    assert gate().of_crop(cv2.GaussianBlur(crop(), (0, 0), 6)) is NotJudged.BLURRED


def test_sharpness_falls_with_blur():
    values = [sharpness(cv2.GaussianBlur(crop(), (0, 0), sigma)) for sigma in (0.3, 1, 2, 4)]
    assert values == sorted(values, reverse=True)


def test_probabilities_are_a_softmax_in_the_order_of_the_emotions():
    scores = scores_of([0, np.log(3), 0, 0, 0, 0, 0, 0])
    assert scores.top is Emotion.HAPPINESS
    assert scores.confidence == pytest.approx(0.3)
    assert sum(scores.probabilities.values()) == pytest.approx(1)
    assert tuple(scores.probabilities) == tuple(Emotion)


def test_large_logits_do_not_overflow():
    assert scores_of([1000, 0, 0, 0, 0, 0, 0, -1000]).confidence == pytest.approx(1)


@pytest.mark.parametrize("emotion", list(Emotion))
def test_a_certain_emotion_lies_at_its_place_in_the_plane(emotion):
    logits = [60 * (each is emotion) for each in Emotion]
    scores = scores_of(logits)
    assert (scores.valence, scores.arousal) == pytest.approx(AFFECT[emotion], abs=1e-9)


def test_an_even_mixture_lies_in_the_middle():
    scores = scores_of([0] * 8)
    assert scores.valence == pytest.approx(sum(v for v, _ in AFFECT.values()) / 8)


def test_sharpness_is_that_of_the_face_and_not_of_its_light():
    assert sharpness(crop(contrast=12)) == pytest.approx(sharpness(crop(contrast=40)), rel=0.15)


def test_a_plain_crop_has_no_sharpness():
    assert sharpness(np.full((48, 48), 120, np.uint8)) == 0
