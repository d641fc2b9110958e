"""Parts that the camera tests share: recordings made here, and drivers that behave as the real ones do."""

import threading
import time

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
        #: What its driver has, and how it stands: what the automatic finds is seen at the value that it sets.
        self.controls = {}
        self.sets = []

    def isOpened(self):  # noqa: N802 - OpenCV names it
        return self.capture.isOpened()

    def set(self, prop, value):
        self.sets.append((prop, value))
        if prop in self.controls:
            self.controls[prop] = value
        return prop in self.controls

    def get(self, prop):
        return self.controls.get(prop, -1.0)

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
