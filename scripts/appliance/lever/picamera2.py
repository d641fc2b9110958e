"""Stands for picamera2 in the booted root: a camera that sees the sample's portraits, with buffers as a Pi's are, their rows padded.

The daemon finds it as it finds the real one, so that what looks is the driver's process, inside the unit's sandbox. The real one runs in
``scripts/appliance/camera.sh``.
"""

# ruff: noqa: D102 - picamera2's own documentation says it
# ruff: noqa: S101 - the sample has no end

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from moodify.camera.sample import SampleCamera

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from moodify.types import Frame

PADDING = 32


class Picamera2:
    """What the adapter asks of it."""

    def __init__(self, _number: int) -> None:
        self._streams: dict[str, dict[str, Any]] = {}
        self.camera_controls = {"AeEnable": (False, True, None), "AwbEnable": (False, True, None)}

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Model": "portraits", "Id": "/base/soc/i2c0mux/i2c@1/portraits@1a", "Num": 0}]

    @staticmethod
    def create_video_configuration(**wanted: Any) -> dict[str, Any]:
        return wanted

    def configure(self, wanted: dict[str, Any]) -> None:
        for name in ("main", "lores"):
            width, height = wanted[name]["size"]
            self._streams[name] = {"format": "YUV420", "size": (width, height), "stride": width + PADDING}

    def camera_configuration(self) -> dict[str, dict[str, Any]]:
        return self._streams

    def start(self) -> None:
        width, height = self._streams["lores"]["size"]
        self._camera = SampleCamera(width=width, height=height, fps=15.0)

    @contextmanager
    def captured_request(self, wait: float) -> Iterator[Request]:  # noqa: ARG002 - the portraits are always there
        frame = self._camera.read()
        assert frame is not None
        yield Request(frame, self._streams)

    def set_controls(self, controls: dict[str, Any]) -> None:
        assert controls.keys() <= self.camera_controls.keys()

    def cancel_all_and_flush(self) -> None:
        pass

    def stop(self) -> None:
        self._camera.close()

    def close(self) -> None:
        pass


class Request:
    """One frame of both streams."""

    def __init__(self, frame: Frame, streams: dict[str, dict[str, Any]]) -> None:
        self._frame = frame
        self._streams = streams

    @staticmethod
    def get_metadata() -> dict[str, Any]:
        return {"AeState": 2}

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        """Return I420 with padded rows, flat."""
        (width, height), stride = self._streams[name]["size"], self._streams[name]["stride"]
        image = self._frame.image if name == "lores" or self._frame.detail is None else self._frame.detail
        planes = cv2.cvtColor(cv2.resize(image.pixels, (width, height)), cv2.COLOR_RGB2YUV_I420).reshape(-1)
        luma, chroma = planes[: width * height].reshape(height, width), planes[width * height :].reshape(height, width // 2)
        padded = np.pad(luma, ((0, 0), (0, stride - width))), np.pad(chroma, ((0, 0), (0, (stride - width) // 2)))
        return np.concatenate([plane.reshape(-1) for plane in padded])
