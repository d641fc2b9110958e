import cv2
import numpy as np
import pytest

from moodify.config.model import VisionConfig
from moodify.types import Box, Emotion, Face, Frame, Image, Landmarks, NotJudged, PixelLayout, Point
from moodify.vision.align import Framing
from moodify.vision.classifier import scores_of
from moodify.vision.eyes import Eyes, open_models

POINTS = Landmarks(Point(16, 18), Point(32, 18), Point(24, 27), Point(18, 36), Point(30, 36))


class DiscDetector:
    """Takes what is nearly white in a grey picture for a face, and counts how often it was asked."""

    def __init__(self):
        self.searches = 0

    def faces(self, image, detail=None):
        self.searches += 1
        x, y, width, height = cv2.boundingRect((image.pixels > 225).astype(np.uint8))
        if not width:
            return ()
        box = Box(x, y, x + width, y + height)
        return (Face(box, Landmarks(*(Point(x + p.x * width / 48, y + p.y * height / 48) for p in POINTS)), 0.9),)


class LevelClassifier:
    """As sure of happiness as it is told to be; keeps the last crop."""

    framing = Framing(48, POINTS)

    def __init__(self, logit=6.0):
        self.logit = logit
        self.crop = None

    def emotions(self, crop):
        self.crop = crop.copy()
        return scores_of([self.logit * (emotion is Emotion.HAPPINESS) for emotion in Emotion])


class Room:
    """Frames of a room with or without somebody, and eyes that look at them."""

    def __init__(self, logit=6.0, **settings):
        self.detector, self.classifier = DiscDetector(), LevelClassifier(logit)
        # The disc is white and plain: what a face should not be is tested elsewhere.
        settings = {"min_sharpness": 0, "max_brightness": 1, "still_check_s": 20} | settings
        self.eyes = Eyes(self.detector, self.classifier, VisionConfig(**settings))
        self.sequence = 0

    def see(self, t_s, somebody=None, detail=None, **how):
        grey = np.full((240, 320), 80, np.uint8)
        if somebody is not None:
            cv2.circle(grey, somebody, 30, 250, -1)
        self.sequence += 1
        return self.eyes.see(Frame(Image(grey, PixelLayout.GREY), t_s, self.sequence, detail), **how)


def test_an_empty_room_is_searched_only_now_and_then():
    room = Room()
    for second in range(100):
        assert room.see(second).faces == ()
    # The first frame, whoever may have come in with its movement, and every 20 s.
    assert 5 <= room.detector.searches <= 9


def test_an_observation_of_a_frame_that_was_not_searched_says_that_nothing_moved():
    room = Room()
    room.see(0)
    seen = room.see(10)
    assert not seen.moved
    assert seen.brightness == pytest.approx(80 / 255, abs=0.01)


def test_whoever_comes_in_is_seen_at_once():
    room = Room()
    for second in range(11):
        room.see(second)
    seen = room.see(11, (100, 100))
    assert seen.moved
    assert seen.faces[0].scores.top is Emotion.HAPPINESS
    assert seen.faces[0].judged
    assert seen.faces[0].face.box == pytest.approx((70, 70, 131, 131), abs=1)


def test_whoever_sits_still_stays_seen():
    room = Room()
    for second in range(60):
        assert len(room.see(second, (100, 100)).faces) == 1
    assert room.detector.searches == 60


def test_looking_closely_searches_a_still_and_empty_room():
    room = Room()
    for second in range(10):
        room.see(second)
    before = room.detector.searches
    room.see(10)
    assert room.detector.searches == before
    room.see(10.1, closely=True)
    assert room.detector.searches == before + 1


def test_a_recording_that_starts_again_is_searched():
    room = Room()
    for second in range(100, 110):
        room.see(second)
    before = room.detector.searches
    room.see(0)
    assert room.detector.searches == before + 1


def test_an_unsure_face_keeps_its_scores():
    face = Room(logit=0.5).see(0, (100, 100)).faces[0]
    assert face.not_judged is NotJudged.NOT_CONFIDENT
    assert face.scores.top is Emotion.HAPPINESS
    assert not face.judged


def test_a_face_without_quality_is_counted_and_not_classified():
    room = Room(min_face_px=100)
    face = room.see(0, (100, 100)).faces[0]
    assert (face.scores, face.not_judged) == (None, NotJudged.TOO_SMALL)
    assert room.classifier.crop is None


def test_a_face_is_cut_from_the_stream_with_the_most_pixels():
    detail = np.full((960, 1280), 80, np.uint8)
    cv2.circle(detail, (400, 400), 122, 250, -1)
    detail[400:, :] = 10
    room = Room(min_face_px=100)
    face = room.see(0, (100, 100), Image(detail, PixelLayout.GREY)).faces[0]
    assert face.judged
    assert face.face.box == pytest.approx((70, 70, 131, 131), abs=1)
    assert room.classifier.crop[:20].mean() > 150
    assert room.classifier.crop[28:].mean() < 30


def test_with_the_models_opencv_is_set_to_one_thread():
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        open_models(VisionConfig())
        assert cv2.getNumThreads() == 1
    finally:
        cv2.setNumThreads(before)
