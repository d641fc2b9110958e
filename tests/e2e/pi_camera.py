"""A Pi's camera for the appliance as a process of its own: picamera2 without a camera, whose frames are known to the byte.

The appliance finds it as it finds the real one, and starts a driver's process over it. For the device stands a file: the driver
holds it open from opening the camera to closing it, as libcamera holds its nodes.
"""

from pathlib import Path

import cv2
import numpy as np

PARTS = Path(__file__).parents[1] / "camera"
PICAMERA2 = f"""
import sys
from pathlib import Path
import numpy as np
sys.path.append({str(PARTS)!r})
from picamera2_parts import FakePicamera2

HERE = Path(__file__).parent

class OfARoom(FakePicamera2):
    def __call__(self, number):
        self.device = (HERE / "video0").open("rb")
        self.planes = np.load(HERE / "planes.npz")
        return super().__call__(number)

    def make_buffer(self, name):
        rows = []
        for plane in ("y", "u", "v"):
            plane = self.planes[name + plane]
            padding = self.streams[name]["stride"] * plane.shape[1] // self.streams[name]["size"][0] - plane.shape[1]
            rows.append(np.pad(plane, ((0, 0), (0, padding))).ravel())
        return np.concatenate(rows)

    def close(self):
        self.device.close()

# An instance stands for the class; see there.
Picamera2 = OfARoom()
"""


class PiOfARoom:
    """Shows a picture to a camera of 1280x960 and 320x240 pixels."""

    def __init__(self, folder, picture):
        package = folder / "picamera2"
        package.mkdir()
        (package / "__init__.py").write_text(PICAMERA2)
        self.device = package / "video0"
        self.device.write_bytes(b"stands for a device")
        bgr = cv2.resize(cv2.imread(str(picture))[:384], (1280, 960), interpolation=cv2.INTER_CUBIC)
        # What a sensor adds makes the bytes of a frame its own.
        noisy = np.clip(bgr + np.random.default_rng(1).normal(0.0, 3.0, bgr.shape), 0, 255).astype(np.uint8)
        self.pictures, planes = [], {}
        for name, size in (("main", (1280, 960)), ("lores", (320, 240))):
            i420 = cv2.cvtColor(cv2.resize(noisy, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2YUV_I420)
            height, half = size[1], (size[1] // 2, size[0] // 2)
            chroma = i420[height:].ravel()
            planes |= {f"{name}y": i420[:height], f"{name}u": chroma[: half[0] * half[1]].reshape(half), f"{name}v": chroma[half[0] * half[1] :].reshape(half)}
            self.pictures += [i420, cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)]
        np.savez(package / "planes.npz", **planes)
        self.environment = {"PYTHONPATH": str(folder)}
