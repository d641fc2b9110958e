"""A camera is closed by whoever wants to, at once: for privacy, by what watches it, at the end of the run.

Of two threads that join a third one as it ends, or ask whether it lives, one may fail (github.com/python/cpython/issues/116372): so nobody may.
"""

import threading
from pathlib import Path

import cv2
import pytest
from camera_parts import LoopingCapture, write_clip

from moodify.camera.fake import FakeCamera
from moodify.camera.steady import SteadyCamera
from moodify.camera.usb_devices import VideoNode
from moodify.camera.v4l2 import UsbCamera


def lost_the_race(*_):
    raise AssertionError("assert not lock.locked()")


@pytest.fixture
def usb(tmp_path):
    clip = str(write_clip(tmp_path / "clip.avi"))
    return UsbCamera(fps=100, cameras=lambda: (VideoNode(Path(clip), "C920", "usb-1", captures=True),), capture=lambda path: LoopingCapture(cv2.VideoCapture(path)))


@pytest.fixture(params=["usb", "steady"])
def camera(request, usb):
    if request.param == "usb":
        return usb
    usb.close()
    return SteadyCamera(FakeCamera)


def test_whoever_closes_it_while_others_do_does_not_fail(camera, monkeypatch):
    thread, failed = camera._thread, []
    monkeypatch.setattr(thread, "join", lost_the_race)
    monkeypatch.setattr(thread, "is_alive", lost_the_race)

    def close():
        try:
            camera.close()
        except AssertionError as error:
            failed.append(error)

    closing = [threading.Thread(target=close) for _ in range(3)]
    for each in closing:
        each.start()
    for each in closing:
        each.join(30)
    monkeypatch.undo()
    thread.join(30)
    assert failed == []
    assert not (camera.stuck if isinstance(camera, UsbCamera) else camera.open)
