import cv2
import numpy as np
import pytest

from moodify.config.model import VisionConfig
from moodify.types import Box, Emotion, Face, Frame, Image, Landmarks, PixelLayout, Point
from moodify.vision.align import Framing
from moodify.vision.classifier import scores_of
from moodify.vision.closer import SecondLook, about
from moodify.vision.eyes import Eyes

POINTS = Landmarks(Point(16, 18), Point(32, 18), Point(24, 27), Point(18, 36), Point(30, 36))
WIDTH, HEIGHT = 320, 240


class FarDetector:
    """Takes what is nearly white for a face, if it has pixels enough when the picture is brought to the detector's width."""

    def __init__(self):
        self.looks = []

    def faces(self, image, detail=None):
        self.looks.append((image.width, image.height))
        x, y, width, height = cv2.boundingRect((image.pixels > 225).astype(np.uint8))
        if width * WIDTH / image.width < 16:
            return ()
        landmarks = Landmarks(*(Point(x + p.x * width / 48, y + p.y * height / 48) for p in POINTS))
        return (Face(Box(x, y, x + width, y + height), landmarks, 0.9),)


class Happy:
    framing = Framing(48, POINTS)

    def emotions(self, crop):
        assert crop.shape == (48, 48)
        return scores_of([6.0 * (emotion is Emotion.HAPPINESS) for emotion in Emotion])


def frame(t_s, somebody=None, radius=5, body=False, detail=True):
    """A room with a white disc at ``somebody``, in pixels of the image, above a grey body; the detail has four times the pixels a side."""
    pixels = np.full((4 * HEIGHT, 4 * WIDTH), 80, np.uint8)
    if somebody is not None:
        x, y = (4 * n for n in somebody)
        if body:
            cv2.rectangle(pixels, (x - 60, y), (x + 60, y + 320), 170, -1)
        cv2.circle(pixels, (x, y), 4 * radius, 250, -1)
    small = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return Frame(Image(small, PixelLayout.GREY), t_s, 0, Image(pixels, PixelLayout.GREY) if detail else None)


class Watch:
    def __init__(self):
        self.detector = FarDetector()
        self.eyes = Eyes(self.detector, Happy(), VisionConfig(min_sharpness=0, max_brightness=1))

    def see(self, *what, **how):
        before = len(self.detector.looks)
        seen = self.eyes.see(frame(*what, **how))
        return seen, len(self.detector.looks) - before


def test_whoever_comes_in_far_away_is_found_by_a_second_look():
    watch = Watch()
    for second in range(10):
        watch.see(second)
    seen, looks = watch.see(10, (200, 60), body=True)
    assert looks == 2
    assert seen.faces[0].face.box == pytest.approx((195, 55, 205, 65), abs=1)
    assert seen.faces[0].judged


def test_whoever_is_near_needs_no_second_look():
    watch = Watch()
    for second in range(10):
        watch.see(second)
    seen, looks = watch.see(10, (200, 60), radius=20, body=True)
    assert (len(seen.faces), looks) == (1, 1)


def test_whoever_sits_still_far_away_stays_seen():
    watch = Watch()
    for second in range(10):
        watch.see(second)
    for second in range(10, 60):
        seen, _ = watch.see(second, (200, 60), body=True)
        assert len(seen.faces) == 1


def test_a_still_room_gets_no_second_look():
    watch = Watch()
    looks = [watch.see(second)[1] for second in range(100)]
    assert max(looks) == 1


def test_after_whoever_left_there_are_no_second_looks():
    watch = Watch()
    for second in range(10):
        watch.see(second)
    watch.see(10, (200, 60), body=True)
    looks = [watch.see(second)[1] for second in range(11, 120)]
    assert 2 in looks[:10]
    assert max(looks[40:]) == 1


def test_a_camera_without_detail_is_looked_at_once():
    watch = Watch()
    for second in range(10):
        watch.see(second, detail=False)
    seen, looks = watch.see(10, (200, 60), body=True, detail=False)
    assert (seen.faces, looks) == ((), 1)


def test_the_second_look_says_where_a_face_is_in_the_whole_picture():
    (face,) = SecondLook(FarDetector()).faces(frame(0, (300, 200)), Box(290, 190, 310, 240))
    assert face.box == pytest.approx((295, 195, 305, 205), abs=1)
    assert face.landmarks.nose == pytest.approx((300, 200.6), abs=1)


@pytest.mark.parametrize("region", [Box(0, 0, 10, 10), Box(310, 230, 320, 240), Box(0, 0, 320, 240), Box(100, 100, 140, 240)])
def test_the_window_is_a_quarter_of_the_picture_and_inside_it(region):
    image = frame(0).image
    near = about(region, image)
    assert (near.width, near.height) == (WIDTH / 2, HEIGHT / 2)
    assert near.x0 >= 0
    assert near.y0 >= 0
    assert near.x1 <= WIDTH
    assert near.y1 <= HEIGHT
    assert near.y0 <= region.y0 or near.y1 == HEIGHT
