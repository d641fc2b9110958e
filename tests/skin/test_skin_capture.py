from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

from moodify.skin.capture import PATIENCE_S, SAY, Capture, Step
from moodify.skin.rendering import Skin, View, render
from moodify.skin.summing import SHOTS
from moodify.types import Box, Face, Frame, Image, Landmarks, PixelLayout, Point

PERIOD_S = 0.1


@lru_cache
def rendered(view):
    return render(Skin(), view)


class Mirror:
    """Somebody before the camera, and the capture that looks at them."""

    def __init__(self, **view):
        self.capture = Capture()
        self.view = View(**view)
        self.t_s = 100.0

    def frame(self, landmarks_of=lambda landmarks: landmarks, *, layout=PixelLayout.RGB, detail=False, pixels=None):
        shown, landmarks = rendered(self.view)
        shown = shown if pixels is None else pixels
        landmarks = landmarks_of(landmarks)
        sharp = Image(shown, PixelLayout.RGB)
        if layout is PixelLayout.GREY:
            sharp = Image(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), layout)
        if layout is PixelLayout.I420:
            shown = np.ascontiguousarray(shown[: shown.shape[0] // 4 * 4, : shown.shape[1] // 4 * 4])
            sharp = Image(cv2.cvtColor(shown, cv2.COLOR_RGB2YUV_I420), layout)
        image = sharp
        if detail:
            image = Image(np.zeros((sharp.height // 2, sharp.width // 2), np.uint8), PixelLayout.GREY)
            landmarks = Landmarks(*(Point(point.x / 2, point.y / 2) for point in landmarks))
        points = np.array(landmarks)
        box = Box(*(points.min(axis=0) - 20), *(points.max(axis=0) + 20))
        return Frame(image, self.t_s, 0, sharp if detail else None), [Face(box, landmarks, 0.99)]

    def look(self, frame, faces):
        said = self.capture.look(frame, faces)
        self.t_s += PERIOD_S
        return said

    def now(self, **frame):
        return self.look(*self.frame(**frame))


def test_who_holds_still_in_good_light_gets_three_shots_apart_and_is_done():
    mirror = Mirror(card=0)
    said, taken_at = mirror.now(), []
    while not said.is_over:
        assert said.step is Step.HOLD_STILL
        before = said.taken
        said = mirror.now()
        if said.taken > before:
            taken_at.append(mirror.t_s)
    assert said.step is Step.DONE
    assert said.taken == len(mirror.capture.shots) == SHOTS
    assert min(np.diff(taken_at)) >= 1 - 1e-6
    assert mirror.capture.duration_s == pytest.approx(2.6, abs=0.3)
    assert mirror.capture.shots[0].card == 0


def test_a_capture_that_is_done_looks_at_nothing_more():
    mirror = Mirror()
    while not mirror.now().is_over:
        pass
    assert mirror.look(*mirror.frame(pixels=np.zeros((8, 8, 3), np.uint8))).step is Step.DONE
    assert len(mirror.capture.shots) == SHOTS


@pytest.mark.parametrize(
    ("view", "step"),
    [
        ({"eyes_px": 50.0}, Step.COME_CLOSER),
        ({"exposure": 0.03}, Step.MORE_LIGHT),
        ({"exposure": 4.0}, Step.LESS_LIGHT),
        ({"lamp_from": (0.9, -0.2, 0.3)}, Step.EVEN_LIGHT),
    ],
)
def test_it_says_what_is_wrong(view, step):
    said = Mirror(**view).now()
    assert said.step is step
    assert said.say == SAY[step]
    assert not said.is_over


def test_it_asks_for_one_face():
    mirror = Mirror()
    assert mirror.look(mirror.frame()[0], []).step is Step.COME_INTO_VIEW
    frame, faces = mirror.frame()
    assert mirror.look(frame, [*faces, *faces]).step is Step.ALONE
    small = replace(faces[0], box=Box(0, 0, 30, 40))
    assert mirror.look(frame, [small, *faces]).step is Step.HOLD_STILL


def test_it_asks_to_look_straight():
    assert Mirror().now(landmarks_of=lambda face: face._replace(nose=Point(face.nose.x + 40, face.nose.y))).step is Step.LOOK_STRAIGHT


@pytest.mark.parametrize(("eyes_px", "step"), [(140.0, Step.STEP_BACK), (80.0, Step.COME_INTO_VIEW)])
def test_it_asks_for_the_whole_face(eyes_px, step):
    mirror = Mirror(eyes_px=eyes_px)
    pixels, landmarks = rendered(mirror.view)
    top = int(landmarks.right_eye.y) - 10
    cut = np.ascontiguousarray(pixels[top:])
    assert mirror.now(pixels=cut, landmarks_of=lambda face: Landmarks(*(Point(x, y - top) for x, y in face))).step is step


def test_a_blurred_face_is_not_taken():
    mirror = Mirror(blur_px=9.0, noise=0.0)
    steps = {mirror.now().step for _ in range(20)}
    assert Step.SHARPER in steps
    assert not mirror.capture.shots


def test_who_moves_is_not_taken():
    mirror = Mirror()
    for number in range(30):
        shift = 12 * (number % 2)
        mirror.now(landmarks_of=lambda face, shift=shift: Landmarks(*(Point(x + shift, y) for x, y in face)))
    assert not mirror.capture.shots


def test_who_leaves_between_shots_keeps_those_taken():
    mirror = Mirror()
    while mirror.now().taken < 1:
        pass
    frame, _ = mirror.frame()
    assert mirror.look(frame, []).taken == 1
    while not (said := mirror.now()).is_over:
        pass
    assert said.step is Step.DONE


def test_who_comes_after_somebody_has_left_begins_anew():
    mirror = Mirror()
    while mirror.now().taken < SHOTS - 1:
        pass
    while mirror.look(mirror.frame()[0], []).taken:
        assert mirror.t_s < 110, "the shots of who has left stay"
    while not (said := mirror.now()).is_over:
        assert said.taken < SHOTS
    assert said.step is Step.DONE
    assert len(mirror.capture.shots) == SHOTS


def test_shots_are_forgotten_once_a_second_face_is_as_near():
    mirror = Mirror()
    while mirror.now().taken < 1:
        pass
    frame, faces = mirror.frame()
    assert mirror.look(frame, faces * 2).taken == 0


def test_it_gives_up_after_a_minute():
    mirror = Mirror(exposure=0.03)
    mirror.now()
    mirror.t_s += PATIENCE_S
    said = mirror.now()
    assert said.step is Step.GAVE_UP
    assert said.is_over
    assert mirror.now().step is Step.GAVE_UP


def test_exposure_is_to_be_held_only_once_the_light_is_right():
    assert not Mirror(exposure=0.03).now().hold_exposure
    assert Mirror().now().hold_exposure


@pytest.mark.parametrize("frame", [{"layout": PixelLayout.I420}, {"detail": True}, {"layout": PixelLayout.I420, "detail": True}])
def test_frames_of_every_layout_and_stream_give_the_same_measures(frame):
    plain, other = Mirror(card=0), Mirror(card=0)
    while not plain.now().is_over:
        pass
    while not other.now(**frame).is_over:
        pass
    for measure in ("texture", "redness", "tone"):
        assert getattr(other.capture.shots[0], measure).value == pytest.approx(getattr(plain.capture.shots[0], measure).value, abs=3)


def test_a_grey_camera_measures_texture_alone():
    mirror = Mirror()
    while not mirror.now(layout=PixelLayout.GREY).is_over:
        pass
    shot = mirror.capture.shots[0]
    assert "colour" in shot.oiliness.reason
    assert shot.redness.value is None


def test_no_pixels_stay_in_the_capture():
    mirror = Mirror(card=0)
    while not mirror.now().is_over:
        pass

    def arrays(thing, seen):
        if isinstance(thing, np.ndarray):
            return [thing]
        if id(thing) in seen:
            return []
        seen.add(id(thing))
        parts = [getattr(thing, name) for name in getattr(thing, "__slots__", ())] + list(getattr(thing, "__dict__", {}).values())
        parts += list(thing) if isinstance(thing, list | tuple) else list(thing.values()) if isinstance(thing, dict) else []
        return [found for part in parts for found in arrays(part, seen)]

    assert arrays(mirror.capture, set()) == []


def test_every_step_has_its_sentence():
    assert set(SAY) == set(Step)
