"""The camera's view is shown to who aims it, for two minutes, and nothing is kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from moodify.daemon.aiming import LASTS_S, Aiming
from moodify.daemon.signals import Aiming as AimingIs
from moodify.errors import CameraLost, NotPermitted, PersonMustAct
from moodify.types import Frame, Image, PixelLayout
from waiting import wait_until

RED = np.full((48, 64, 3), (200, 20, 20), np.uint8)
FRAME = Frame(Image(RED, PixelLayout.RGB), 0.0, 1)


class Stage:
    """Somebody aims, and a camera gives frames until the test is over."""

    def __init__(self):
        self.now_s = 100.0
        self.told = []
        self.private = False
        self.aiming = Aiming(self.told.append, private=lambda: self.private, clock=lambda: self.now_s)
        self._over = threading.Event()
        self.thread = None

    def look(self):
        def run():
            while not self._over.wait(0.01):
                self.aiming.show(FRAME)

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        if self.thread is not None:
            self.thread.join(30)


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


def test_who_aims_gets_the_next_frame_as_a_jpeg(stage):
    stage.look()
    assert stage.aiming.begin("ada", "Ada") == LASTS_S
    picture = stage.aiming.picture("ada")
    seen = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert seen.shape == (48, 64, 3)
    assert np.abs(seen[:, :, ::-1].astype(int) - RED).max() < 12
    assert stage.told == [AimingIs(on=True, by="Ada")]


def test_nobody_else_gets_it_and_nobody_before(stage):
    stage.look()
    with pytest.raises(NotPermitted):
        stage.aiming.picture("ada")
    stage.aiming.begin("ada", "Ada")
    with pytest.raises(NotPermitted):
        stage.aiming.picture("eve")


def test_after_two_minutes_it_is_over_and_said(stage):
    stage.look()
    stage.aiming.begin("ada", "Ada")
    stage.now_s += LASTS_S - 1
    assert stage.aiming.picture("ada")
    stage.now_s += 1
    with pytest.raises(NotPermitted, match="two minutes"):
        stage.aiming.picture("ada")
    assert stage.aiming.left_s("ada") == 0
    wait_until(lambda: stage.told == [AimingIs(on=True, by="Ada"), AimingIs(on=False, by="Ada")], what="that it is said")


def test_in_privacy_it_can_not_begin(stage):
    stage.private = True
    with pytest.raises(PersonMustAct, match="turn privacy off"):
        stage.aiming.begin("ada", "Ada")
    assert stage.told == []


def test_who_waits_for_a_picture_when_privacy_begins_gets_none(stage):
    stage.aiming.begin("ada", "Ada")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stage.aiming.picture, "ada")
        stage.private = True
        stage.aiming.end()
        with pytest.raises(NotPermitted):
            waiting.result(30)


def test_a_picture_that_was_made_while_it_ended_is_given_to_nobody():
    encoding, ended, told = threading.Event(), threading.Event(), []

    def slow(_image):
        encoding.set()
        assert ended.wait(30)
        return b"pixels"

    aiming = Aiming(told.append, encode=slow)
    aiming.begin("ada", "Ada")
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(aiming.picture, "ada")
        wait_until(lambda: pool.submit(aiming.show, FRAME) and encoding.wait(0.05), what="a frame being encoded")
        aiming.end()
        ended.set()
        with pytest.raises(NotPermitted):
            waiting.result(30)
    assert b"pixels" not in repr(vars(aiming)).encode()


def test_without_a_frame_it_says_that_the_camera_gives_none(stage, monkeypatch):
    monkeypatch.setattr("moodify.daemon.aiming.FRAME_S", 0.05)
    stage.aiming.begin("ada", "Ada")
    with pytest.raises(CameraLost, match="gives no picture"):
        stage.aiming.picture("ada")


def test_nothing_is_encoded_that_nobody_waits_for():
    encoded = []
    aiming = Aiming(lambda _: None, encode=lambda image: encoded.append(image) or b"x")
    assert aiming.show(FRAME) is False
    aiming.begin("ada", "Ada")
    assert aiming.show(FRAME) is True
    assert encoded == []


def test_nothing_is_kept_once_a_picture_was_given(stage):
    stage.look()
    stage.aiming.begin("ada", "Ada")
    stage.aiming.picture("ada")
    assert stage.aiming._picture is None


@pytest.mark.parametrize("layout", list(PixelLayout))
def test_a_frame_of_any_layout_can_be_shown(layout):
    from moodify.vision.jpeg import jpeg

    rows = {PixelLayout.RGB: (48, 64, 3), PixelLayout.GREY: (48, 64)}.get(layout, (72, 64))
    seen = cv2.imdecode(np.frombuffer(jpeg(Image(np.full(rows, 128, np.uint8), layout)), np.uint8), cv2.IMREAD_COLOR)
    assert seen.shape == (48, 64, 3)
