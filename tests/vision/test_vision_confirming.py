import cv2
import numpy as np
import pytest

from moodify.types import Box, Face, Image, Landmarks, PixelLayout, Point
from moodify.vision.confirming import ConfirmingDetector, mean_of_logits, open_detector
from moodify.vision.manifest import ConfirmSettings, DetectorSettings
from moodify.vision.models import read_detector

WIDTH, HEIGHT = 320, 240
CONFIRM = ConfirmSettings(unsure_from=0.3, sure_from=0.7, window=5.0, weight=0.5, most=2)


class Doubting:
    """Takes white for faces; how sure it is of each is said by what it sees them in: a whole picture, or a part."""

    input_size = (WIDTH, HEIGHT)
    accelerated = True

    def __init__(self, whole, part, *, beside=0.0):
        self._whole, self._part, self._beside = whole, part, beside
        self.looks = []

    def faces(self, image, most=None):
        first = not self.looks
        self.looks.append((image.width, image.height))
        self.most = most
        pixels = image.pixels[: image.height]
        found = []
        contours, _ = cv2.findContours((pixels > 225).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for number, (x, y, width, height) in enumerate(sorted(cv2.boundingRect(contour) for contour in contours)):
            left = x + (0 if first else self._beside * width)
            score = (self._whole[number] if isinstance(self._whole, tuple) else self._whole) if first else self._part
            points = Landmarks(*(Point(left + width * px, y + height * py) for px, py in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))))
            if score:
                found.append(Face(Box(left, y, left + width, y + height), points, score))
        return tuple(sorted(found, key=lambda face: -face.confidence))


def room(*places, radius=6, scale=1, layout=PixelLayout.GREY):
    pixels = np.full((scale * HEIGHT * (3 if layout is not PixelLayout.GREY else 2) // 2, scale * WIDTH), 80, np.uint8)
    pixels = pixels if layout is not PixelLayout.GREY else pixels[: scale * HEIGHT]
    for x, y in places:
        cv2.circle(pixels, (scale * x, scale * y), scale * radius, 250, -1)
    return Image(pixels, layout)


def looking(detector, *, confirm=CONFIRM, threshold=0.5):
    return ConfirmingDetector(detector, DetectorSettings(score_threshold=threshold, nms_iou=0.4, max_faces=16, confirm=confirm), threshold=threshold)


def test_what_a_closer_look_is_surer_of_is_a_face():
    doubting = Doubting(0.4, 0.8)
    (face,) = looking(doubting).faces(room((200, 100)))
    assert face.confidence == pytest.approx(mean_of_logits(0.4, 0.8, 0.5)) == pytest.approx(0.62, abs=0.005)
    assert face.box == pytest.approx((194, 94, 207, 107))
    assert len(doubting.looks) == 2


def test_the_closer_look_weighs_as_much_as_it_is_told_to():
    confirm = CONFIRM.model_copy(update={"weight": 0.25})
    (face,) = looking(Doubting(0.45, 0.9), confirm=confirm).faces(room((200, 100)))
    assert face.confidence == pytest.approx(mean_of_logits(0.45, 0.9, 0.25)) == pytest.approx(0.598, abs=0.005)


@pytest.mark.parametrize("part", [0.45, 0.0])
def test_what_a_closer_look_doubts_too_or_does_not_see_is_none(part):
    assert looking(Doubting(0.5, part)).faces(room((200, 100))) == ()


def test_what_the_closer_look_sees_elsewhere_is_not_it():
    assert looking(Doubting(0.6, 0.9, beside=1.5)).faces(room((200, 100))) == ()


@pytest.mark.parametrize("score", [0.7, 0.95])
def test_what_is_sure_at_once_costs_one_look(score):
    doubting = Doubting(score, 0.1)
    (face,) = looking(doubting).faces(room((200, 100)))
    assert (face.confidence, len(doubting.looks)) == (score, 1)


def test_what_is_hardly_anything_is_not_worth_a_look():
    doubting = Doubting(0.29, 0.99)
    assert looking(doubting).faces(room((200, 100))) == ()
    assert len(doubting.looks) == 1


def test_who_wants_less_sure_faces_gets_those_too():
    assert [face.confidence for face in looking(Doubting(0.2, 0.99), threshold=0.1).faces(room((200, 100)))] == [0.2]


def test_without_settings_there_is_one_look():
    doubting = Doubting(0.55, 0.1)
    assert len(looking(doubting, confirm=None).faces(room((200, 100)))) == 1
    assert len(doubting.looks) == 1


def test_only_the_surest_are_looked_at_and_the_others_keep_their_first_answer():
    doubting = Doubting((0.6, 0.55, 0.65), 0.9)
    found = looking(doubting).faces(room((50, 60), (160, 120), (270, 180)))
    assert len(doubting.looks) == 3
    assert [round(face.confidence, 2) for face in found] == [0.8, 0.79, 0.55]


@pytest.mark.parametrize("part", [0.35, 0.0])
def test_what_is_near_and_unsure_is_none_where_a_step_back_says_so(part):
    assert looking(Doubting(0.6, part)).faces(room((160, 120), radius=60)) == ()


@pytest.mark.parametrize("layout", [PixelLayout.GREY, PixelLayout.I420, PixelLayout.NV12])
@pytest.mark.parametrize(("radius", "place"), [(30, (160, 120)), (60, (160, 120)), (60, (62, 170)), (100, (200, 110))])
def test_what_is_near_is_looked_at_at_one_size_and_answered_in_pixels_of_the_image(radius, place, layout):
    doubting = Doubting(0.6, 0.8)
    (face,) = looking(doubting).faces(room(place, radius=radius), room(place, radius=radius, scale=4, layout=layout))
    x, y = place
    assert face.confidence == pytest.approx(mean_of_logits(0.6, 0.8, 0.5))
    assert face.box == pytest.approx((x - radius, y - radius, x + radius + 0.25, y + radius + 0.25))
    side = 4 * (2 * radius + 1)
    # Its side is so much of the input's height, whatever of the window lies inside the picture.
    assert doubting.most * side == pytest.approx(HEIGHT / 5)
    (_, (width, height)) = doubting.looks
    assert abs(height - min(5 * side, 4 * HEIGHT)) <= 4
    assert abs(width - min(5 * side * WIDTH / HEIGHT, 4 * WIDTH)) <= 4


def test_what_is_near_in_a_wide_picture_is_looked_at_at_the_same_size():
    doubting = Doubting(0.6, 0.8)
    wide = np.full((360, 640), 80, np.uint8)
    cv2.circle(wide, (560, 180), 60, 250, -1)
    (face,) = looking(doubting).faces(Image(wide[::2, ::2], PixelLayout.GREY), Image(wide, PixelLayout.GREY))
    assert face.box == pytest.approx((250, 60, 310.5, 120.5))
    # 122 of its pixels a side, as the half picture shows it.
    assert doubting.most * 122 == pytest.approx(HEIGHT / 5)
    (_, (width, height)) = doubting.looks
    assert height == 360
    assert abs(width - min(5 * 122 * WIDTH / HEIGHT, 640)) <= 4


def test_a_candidate_without_extent_is_left_as_it_is():
    class Nowhere(Doubting):
        def faces(self, image, most=None):
            self.looks.append(image)
            return (Face(Box(5, 5, 5, 5), Landmarks(*(Point(5, 5) for _ in range(5))), 0.6),)

    nowhere = Nowhere(0, 0)
    assert [face.confidence for face in looking(nowhere).faces(room())] == [0.6]
    assert len(nowhere.looks) == 1


@pytest.mark.parametrize("layout", [PixelLayout.GREY, PixelLayout.I420, PixelLayout.NV12])
@pytest.mark.parametrize("place", [(8, 8), (311, 9), (160, 120), (10, 230), (311, 231)])
def test_the_closer_look_takes_the_detail_and_answers_in_pixels_of_the_image(place, layout):
    doubting = Doubting(0.4, 0.8)
    (face,) = looking(doubting).faces(room(place), room(place, scale=4, layout=layout))
    x, y = place
    assert face.box == pytest.approx((x - 6, y - 6, x + 6.25, y + 6.25))
    assert face.landmarks.nose == pytest.approx((x + 0.125, y + 1.35), abs=0.01)
    (first, (width, height)) = doubting.looks
    assert first == (WIDTH, HEIGHT)
    # Five times its 13 pixels a side, in the detail's.
    assert abs(height - 4 * 5 * 13) <= 4
    assert abs(width - 4 * 5 * 13 * WIDTH / HEIGHT) <= 4
    assert doubting.most is None


def test_the_model_that_ships_looks_closer_at_what_it_is_unsure_of():
    settings = read_detector().manifest.postprocess
    assert settings.confirm is not None
    assert settings.confirm.unsure_from < settings.score_threshold < settings.confirm.sure_from
    assert open_detector(read_detector()).faces(room()) == ()
