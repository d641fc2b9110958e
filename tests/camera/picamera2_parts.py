"""A picamera2 without a camera, here and in a driver's process; without what takes long to import."""

import contextlib
import ctypes
import sys
import threading
from pathlib import Path

import numpy as np


class ColorSpace:
    """As of libcamera: its kinds are made by methods of the class."""

    def __init__(self, name):
        self.name = name

    @staticmethod
    def Smpte170m():  # noqa: N802 - libcamera's name
        return ColorSpace("Smpte170m")

    @staticmethod
    def Rec709():  # noqa: N802 - likewise
        return ColorSpace("Rec709")


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
        self.camera_controls = {"AeEnable": (False, True, None), "AwbEnable": (False, True, None)}
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
        width, height = wanted["main"]["size"]
        self.wanted = {"colour_space": ColorSpace.Rec709() if width >= 1280 and height >= 720 else ColorSpace.Smpte170m(), **wanted}
        return self.wanted

    def configure(self, wanted):
        self.calls.append("configure")
        self.colour_space = wanted["colour_space"]
        unknown = wanted["controls"].keys() - self.camera_controls.keys() - {"FrameDurationLimits"}
        if unknown:
            raise RuntimeError(f"Control {min(unknown)} is not advertised by libcamera")
        self.streams = {}
        for name in ("main", "lores"):
            width, height = wanted[name]["size"]
            stride = width + self.padding
            self.streams[name] = {"format": self.layout, "size": (width, height), "stride": stride, "framesize": stride * height * 3 // 2}

    def camera_configuration(self):
        return self.streams

    def start(self):
        self.calls.append("start")

    def set_controls(self, controls):
        unknown = controls.keys() - self.camera_controls.keys()
        if unknown:
            raise RuntimeError(f"Control {min(unknown)} is not advertised by libcamera")
        self.calls.append(controls)

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
from picamera2_parts import *
from moodify.camera.driver import main
fake = {fake}
{levers}
main(fake)
"""
    return (sys.executable, "-c", code)
