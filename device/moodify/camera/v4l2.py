"""USB cameras, over Video4Linux through OpenCV."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

import cv2

from moodify.camera.base import Closing, Pacer
from moodify.camera.pictures import frame_images
from moodify.camera.usb_devices import usb_cameras
from moodify.errors import CameraLost, NoCamera
from moodify.pictures import quiet_opencv, rgb_of
from moodify.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from moodify.camera.usb_devices import VideoNode

log = logging.getLogger(__name__)

#: linux/v4l2-controls.h, enum v4l2_exposure_auto_type: a USB camera's automatic exposure sets the time and leaves the aperture, which is fixed.
_EXPOSURE_MANUAL, _EXPOSURE_APERTURE_PRIORITY = 1, 3
#: OpenCV's own patience with a silent device, in seconds; it bounds how long its thread outlives :meth:`UsbCamera.close`.
_SELECT_TIMEOUT = ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used here."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it opened."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803 - OpenCV's name
        """Set a property."""

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """Return a property; -1 where there is none."""

    def grab(self) -> bool:
        """Take the next frame off the device, without decoding it."""

    def retrieve(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """Decode what was grabbed: BGR, uint8 (height, width, 3)."""

    def release(self) -> None:
        """Close the device."""


def open_capture(path: str) -> Capture:
    """Open a device by its path through OpenCV."""
    os.environ.setdefault(*_SELECT_TIMEOUT)
    return cv2.VideoCapture(path, cv2.CAP_V4L2)  # type: ignore[return-value] # the stubs' overloads


class UsbCamera(Closing):
    """A USB camera. A thread takes every frame off the device, so that the one that is read is the newest."""

    live = True

    def __init__(
        self,
        number: int = 0,
        *,
        width: int = 320,
        height: int = 240,
        detail_width: int = 1280,
        fps: float = 5.0,
        timeout_s: float = 5.0,
        close_within_s: float = 3.0,
        cameras: Callable[[], Sequence[VideoNode]] = usb_cameras,
        capture: Callable[[str], Capture] = open_capture,
    ) -> None:
        """Open it.

        Args:
            number: which of the USB cameras, from 0.
            width: largest width of the detection image in pixels; the aspect is the camera's.
            height: largest height of it.
            detail_width: width that the camera is asked for, and largest width of the detail.
            fps: frames per second until :meth:`set_rate` says otherwise.
            timeout_s: how long a frame may take.
            close_within_s: how long :meth:`close` waits for a device that hangs.
            cameras: lists what is plugged in.
            capture: opens a device by its path.

        Raises:
            NoCamera: no such camera is plugged in.
            CameraLost: it is there and does not open, for instance because another program has it.
        """
        found = cameras()
        if number >= len(found):
            names = ", ".join(f"usb:{index} ({node.card})" for index, node in enumerate(found)) or "none"
            raise NoCamera(f"there is no USB camera {number}; found: {names}. Plug one in, and add the user to the group video")
        node = found[number]
        self.description = f"USB camera {number} ({node.card})"
        self._within = (width, height)
        self._detail_width = detail_width
        self._timeout_s = timeout_s
        self._close_within_s = close_within_s
        self._pacer = Pacer(fps)
        self._sequence = 0
        self._state = threading.Condition()
        self._wanted = False
        self._hold = False
        self._newest: deque[NDArray[np.uint8]] = deque(maxlen=1)
        self._lost: str | None = None
        # Who closes it waits for this, not for the thread: of two that join one thread as it ends, one may fail (github.com/python/cpython/issues/116372).
        self._released = threading.Event()
        device = self._open(capture, str(node.path), detail_width, round(detail_width * height / width))
        self._thread = threading.Thread(target=self._grab, args=(device,), name="usb-camera", daemon=True)
        self._thread.start()

    def _open(self, capture: Callable[[str], Capture], path: str, width: int, height: int) -> Capture:
        try:
            with quiet_opencv():
                device = capture(path)
            if device.isOpened():
                # Compressed, or USB 2 carries these sizes at a few frames per second only; one buffer, or frames are old.
                device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
                device.set(cv2.CAP_PROP_FRAME_WIDTH, width)
                device.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
                device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
                # A run that was killed while it held them has left them so: the device keeps its controls as long as it is plugged in.
                _go_by_the_light(device)
                return device
            device.release()
        except cv2.error as error:
            raise CameraLost(f"{self.description} does not open ({error.err}); plug it out and in") from error
        raise CameraLost(f"{self.description} does not open; end other programs that use {path}")

    def read(self) -> Frame | None:
        """Return the newest frame.

        Raises:
            CameraLost: unplugged, silent for longer than the time-out, or closed.
        """
        due = self._pacer.wait()
        with self._state:
            self._newest.clear()
            self._wanted = True
            came = due and self._state.wait_for(lambda: bool(self._newest) or self._lost is not None or self._pacer.stopped, self._timeout_s)
            self._wanted = False
            if self._pacer.stopped:
                raise CameraLost(f"{self.description} is closed; open it again")
            if not came:
                self._lost = f"gave no frame for {self._timeout_s:g} s; check its cable"
            if not self._newest:
                raise CameraLost(f"{self.description} {self._lost}")
            bgr = self._newest.pop()
        image, detail = frame_images(rgb_of(bgr), self._within, self._detail_width)
        frame = Frame(image, time.monotonic(), self._sequence, detail)
        self._sequence += 1
        return frame

    def set_rate(self, fps: float) -> None:
        """Give so many frames per second; the device keeps its own rate, and frames in between are not decoded."""
        self._pacer.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Have the device do so, where it can: with its next frame."""
        self._hold = on

    def close(self) -> None:
        """Give the device back, which ends a blocked read; one that hangs is given back when OpenCV lets go of it: see :attr:`stuck`."""
        self._pacer.stop()
        with self._state:
            self._state.notify_all()
        if threading.current_thread() is not self._thread and not self._released.wait(self._close_within_s):
            log.warning("%s hangs and is not given back yet", self.description)

    @property
    def stuck(self) -> bool:
        """Whether it was closed and OpenCV still waits for the device."""
        return self._pacer.stopped and not self._released.is_set()

    def _grab(self, device: Capture) -> None:
        # Only this thread touches the device: OpenCV may crash when it is released under a read.
        try:
            with quiet_opencv():
                self._grab_each(device)
        except cv2.error as error:
            self._lose(f"failed ({error.err}); plug it out and in")
        except Exception as error:
            # Who reads would wait for frames that never come.
            log.exception("%s failed in a way that is not known", self.description)
            self._lose(f"failed ({error!r}); it is opened again, and the log says more")
        finally:
            try:
                device.release()
            finally:
                self._released.set()

    def _grab_each(self, device: Capture) -> None:
        held = False
        while not self._pacer.stopped:
            if self._hold != held:
                held = self._hold
                (_hold if held else _go_by_the_light)(device)
            if not device.grab():
                self._lose("gave no frame: unplugged, or its cable is loose")
                return
            if self._wanted:
                done, bgr = device.retrieve()
                if done and bgr is not None:
                    with self._state:
                        self._newest.append(bgr)
                        self._state.notify_all()
        if held:
            _go_by_the_light(device)

    def _lose(self, reason: str) -> None:
        with self._state:
            self._lost = reason
            self._state.notify_all()


def _hold(device: Capture) -> None:
    """Let exposure and white balance stay, where the device has a switch for it.

    What the automatic had found is read first and set again: some devices go back to what was set by hand once.
    """
    for switch, by_hand, value in ((cv2.CAP_PROP_AUTO_EXPOSURE, _EXPOSURE_MANUAL, cv2.CAP_PROP_EXPOSURE), (cv2.CAP_PROP_AUTO_WB, 0, cv2.CAP_PROP_WB_TEMPERATURE)):
        found = device.get(value)
        if device.set(switch, by_hand) and found > 0:
            device.set(value, found)


def _go_by_the_light(device: Capture) -> None:
    device.set(cv2.CAP_PROP_AUTO_EXPOSURE, _EXPOSURE_APERTURE_PRIORITY)
    device.set(cv2.CAP_PROP_AUTO_WB, 1)
