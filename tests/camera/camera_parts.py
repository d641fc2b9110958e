"""Parts that the camera tests share: recordings made here, and drivers that behave as the real ones do."""

import contextlib
import ctypes
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np


def picture_of(grey, size=(640, 480)):
    pixels = np.full((size[1], size[0], 3), grey, np.uint8)
    cv2.circle(pixels, (size[0] // 2, size[1] // 2), size[1] // 4, (0, 0, 255), -1)
    return pixels


def write_picture(path, grey, size=(640, 480)):
    assert cv2.imwrite(str(path), picture_of(grey, size))
    return path


def write_clip(path, *, fps=30, frames=60, size=(640, 480)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(picture_of(number * 4 % 256, size))
    writer.release()
    return path


class _Noted(threading.Condition):
    """A condition that says when somebody waits for it: whoever takes its lock afterwards finds the wait under way."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Event()

    def wait(self, timeout=None):
        self.asked.set()
        return super().wait(timeout)


def waiting_in(camera):
    """An event that is set once a read of the live camera waits for its turn."""
    camera._pacer._wake = _Noted()
    return camera._pacer._wake.asked


class LoopingCapture:
    """A real capture of a file that starts again at its end, as a device never ends."""

    def __init__(self, capture):
        self.capture = capture
        self.silent = threading.Event()
        self.waits = threading.Event()
        self.unplugged = False
        self.released = threading.Event()

    def isOpened(self):  # noqa: N802 - OpenCV names it
        return self.capture.isOpened()

    def set(self, _prop, _value):
        return True

    def grab(self):
        if self.unplugged:
            return False
        while self.silent.is_set():
            self.waits.set()
            time.sleep(0.01)
        if not self.capture.grab():
            self.capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            return self.capture.grab()
        return True

    def retrieve(self):
        return self.capture.retrieve()

    def release(self):
        self.released.set()
        self.capture.release()


class FakePicamera2:
    """Picamera2 without a camera: padded buffers, requests that time out, a device that only one may hold.

    An instance stands for the class as well, so that a test can pull its levers before it is opened.
    """

    def __init__(self, layout="YUV420", padding=32):
        self.layout, self.padding = layout, padding
        self.cameras = [{"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0}]
        self.busy = False
        self.hung = False
        self.asked = threading.Event()
        self.stop_hangs = False
        self.metadata = [{}]
        self.calls = []
        self.given_back = 0
        self.copied = 0
        self._flushed = threading.Event()

    def __call__(self, number):
        self.number = number
        if self.busy:
            try:
                raise OSError(16, "Failed to acquire camera: Device or resource busy")
            except OSError as error:
                raise RuntimeError("Camera __init__ sequence did not complete.") from error
        return self

    def global_camera_info(self):
        return self.cameras

    def create_video_configuration(self, **wanted):
        self.wanted = wanted
        return wanted

    def configure(self, wanted):
        self.calls.append("configure")
        self.streams = {}
        for name in ("main", "lores"):
            width, height = wanted[name]["size"]
            stride = width + self.padding
            self.streams[name] = {"format": self.layout, "size": (width, height), "stride": stride, "framesize": stride * height * 3 // 2}

    def camera_configuration(self):
        return self.streams

    def start(self):
        self.calls.append("start")

    @contextlib.contextmanager
    def captured_request(self, wait):
        self.asked.set()
        if self.hung:
            self._flushed.wait(wait)
            raise TimeoutError
        try:
            yield self
        finally:
            self.given_back += 1

    def get_metadata(self):
        return self.metadata.pop(0) if len(self.metadata) > 1 else self.metadata[0]

    def make_buffer(self, name):
        self.copied += 1
        stream = self.streams[name]
        (_, height), stride = stream["size"], stream["stride"]
        planes = [np.full(stride * height, 50, np.uint8), np.full(stride * height // 4, 100, np.uint8), np.full(stride * height // 4, 200, np.uint8)]
        return np.concatenate(planes)

    def cancel_all_and_flush(self):
        self.calls.append("flush")
        self._flushed.set()

    def stop(self):
        self.calls.append("stop")
        if self.stop_hangs:
            # As libcamera's bindings do: whoever calls through PyDLL keeps the interpreter's lock.
            ctypes.PyDLL(None).sleep(3600)

    def close(self):
        self.calls.append("close")


def driver_of(fake="FakePicamera2()", levers="pass"):
    """The command that starts a driver's process over a fake of picamera2, called ``fake`` in the levers."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from camera_parts import *
from moodify.camera.driver import main
fake = {fake}
{levers}
main(fake)
"""
    return (sys.executable, "-c", code)
