"""What every camera must do, whatever it is."""

import importlib.util
import threading

import cv2
import numpy as np
import pytest
from camera_parts import LoopingCapture, waiting_in, write_clip, write_picture
from picamera2_parts import FakePicamera2, driver_of

from moodify.camera.apart import ApartCamera, open_pi
from moodify.camera.fake import FakeCamera
from moodify.camera.files import Recording
from moodify.camera.pi import PiCamera
from moodify.camera.sample import SampleCamera
from moodify.camera.usb_devices import VideoNode
from moodify.camera.v4l2 import UsbCamera
from moodify.errors import CameraLost, NoCamera


def sample(_folder):
    try:
        return SampleCamera(fps=100)
    except NoCamera as error:
        pytest.skip(str(error))


def clip(folder):
    return Recording(write_clip(folder / "clip.avi"), pace=0)


def folder_of_pictures(folder):
    write_picture(folder / "a.png", 40)
    write_picture(folder / "b.jpg", 200)
    return Recording(folder, pace=0)


def picture(folder):
    return Recording(write_picture(folder / "a.png", 40), pace=0)


def usb(folder):
    path = write_clip(folder / "clip.avi")
    node = VideoNode(path, "C920", "usb-1", captures=True)
    return UsbCamera(fps=100, cameras=lambda: (node,), capture=lambda path: LoopingCapture(cv2.VideoCapture(path)))


def pi(_folder):
    return PiCamera(fps=100, settle_s=0, picamera2=FakePicamera2())


def apart(_folder):
    return ApartCamera({}, fps=100, settle_s=0, command=driver_of())


def real_pi(_folder):
    if importlib.util.find_spec("picamera2") is None:
        pytest.skip("hardware: picamera2 is not installed here; scripts/appliance/camera.sh runs this over it")
    return open_pi(width=320, height=240, detail_width=1280, fps=100, timeout_s=10)


def fake(_folder):
    return FakeCamera()


LIVE = [sample, usb, pi, apart, real_pi, fake]
RECORDED = [clip, folder_of_pictures, picture]


@pytest.fixture(params=[*LIVE, *RECORDED], ids=lambda make: make.__name__)
def camera(request, tmp_path):
    with request.param(tmp_path) as camera:
        yield camera


@pytest.fixture(params=LIVE, ids=lambda make: make.__name__)
def live_camera(request, tmp_path):
    with request.param(tmp_path) as camera:
        yield camera


@pytest.fixture(params=RECORDED, ids=lambda make: make.__name__)
def recorded_camera(request, tmp_path):
    with request.param(tmp_path) as camera:
        yield camera


def test_frames_are_counted_and_their_time_goes_forward(camera):
    frames = [camera.read() for _ in range(8)]
    assert [frame.sequence for frame in frames] == list(range(8))
    times = [frame.t_s for frame in frames]
    assert times == sorted(set(times))


def test_a_frame_is_small_for_detection_and_its_detail_shows_the_same_view(camera):
    frame = camera.read()
    assert 0 < frame.image.width <= 320
    assert 0 < frame.image.height <= 240
    assert frame.image.pixels.dtype == np.uint8
    detail = frame.detail or frame.image
    assert detail.width >= frame.image.width
    assert detail.width / detail.height == pytest.approx(frame.image.width / frame.image.height, rel=0.02)


def test_a_live_camera_says_what_it_is_and_that_it_is_live(live_camera):
    assert live_camera.description
    assert live_camera.live


def test_a_recording_says_what_it_is_starts_at_0_s_and_ends(recorded_camera):
    assert recorded_camera.description
    assert not recorded_camera.live
    assert recorded_camera.read().t_s == 0
    while recorded_camera.read() is not None:
        pass


def test_closing_twice_is_safe_and_reading_afterwards_says_that_it_is_closed(camera):
    camera.close()
    camera.close()
    with pytest.raises(CameraLost, match="closed"):
        camera.read()


def test_closing_from_another_thread_ends_a_read_that_waits(live_camera):
    live_camera.read()
    live_camera.set_rate(0.001)
    waits, ended = waiting_in(live_camera), threading.Event()

    def read():
        with pytest.raises(CameraLost):
            live_camera.read()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert waits.wait(30)
    live_camera.close()
    reader.join(30)
    assert ended.is_set()
    assert not live_camera.stuck


def test_a_faster_rate_wakes_a_read_that_waits_for_the_slow_one(live_camera):
    live_camera.read()
    live_camera.set_rate(0.001)
    waits, frames = waiting_in(live_camera), []
    reader = threading.Thread(target=lambda: frames.append(live_camera.read()))
    reader.start()
    assert waits.wait(30)
    live_camera.set_rate(100)
    reader.join(30)
    assert frames[0].sequence == 1


def test_exposure_may_be_held_and_let_go_at_any_time_and_frames_go_on(camera):
    camera.hold_exposure(True)
    assert camera.read() is not None
    camera.hold_exposure(False)
    assert camera.read() is not None
    camera.close()
    camera.hold_exposure(True)
