"""The Pi's own camera, over picamera2, in this process.

The appliance opens it through :mod:`moodify.camera.apart`, in a process that can be ended when the driver hangs.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from moodify.camera.base import Closing, Pacer
from moodify.camera.planes import unpack_planes
from moodify.errors import CameraLost, NoCamera
from moodify.types import Frame, PixelLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moodify.types import Image

log = logging.getLogger(__name__)

NOT_USABLE = "picamera2 is not usable ({}); on Raspberry Pi OS install it with: sudo apt install --no-install-recommends python3-picamera2"
#: libcamera's names of the layouts that are understood.
_LAYOUTS = {"YUV420": PixelLayout.I420, "NV12": PixelLayout.NV12}
#: The sensor runs at 15 frames per second, down to 10 in the dark: exposure control needs frames, and those that nobody
#: reads are given back unread.
_FRAME_DURATION_US = (66_666, 100_000)
#: Frames before exposure has settled are not worth looking at. It takes half a second to a second; in the dark it may never say that it has.
_SETTLE_S = 1.0
#: libcamera's control AeState: 1 is searching; idle (a fixed exposure) and converged are not.
_AE_SEARCHING = 1
#: libcamera's control AfMode, of cameras whose lens moves: 2 is continuous. Left alone a Camera Module 3 stays at about a metre, and blurs who comes closer.
_AF_CONTINUOUS = 2
#: libcamera's controls that set exposure and gain, and white balance. Switched off they leave in force what they had found.
_AUTOMATIC = ("AeEnable", "AwbEnable")


class PiCamera(Closing):
    """A camera on the Pi's ribbon cable: a small stream for detection and a large one of the same view for faces."""

    live = True

    def __init__(
        self,
        *,
        width: int = 320,
        height: int = 240,
        detail_width: int = 1280,
        fps: float = 5.0,
        timeout_s: float = 5.0,
        settle_s: float = _SETTLE_S,
        picamera2: Any = None,
    ) -> None:
        """Open and start it.

        Args:
            width: of the detection image, in pixels, made even.
            height: of it.
            detail_width: of the detail, whose height follows the same aspect.
            fps: frames per second until :meth:`set_rate` says otherwise; the sensor runs at its own.
            timeout_s: how long a frame may take.
            settle_s: how long the first frame waits for the exposure at most; where the driver does not tell of it, so long.
            picamera2: the class ``Picamera2``, or one that behaves like it; None imports it.

        Raises:
            NoCamera: picamera2 is not installed, no camera is connected, or it gives pixels that are not understood.
            CameraLost: it is busy or does not start.
        """
        driver = picamera2 if picamera2 is not None else _import_picamera2()
        self._pacer = Pacer(fps)
        self._timeout_s = timeout_s
        self._settle_s = settle_s
        self._sequence = 0
        self._closed = threading.Event()
        self._reading = threading.Lock()
        try:
            # libcamera lists USB cameras as well, by the path of their bus; those belong to the other adapter.
            cameras = [camera for camera in driver.global_camera_info() if "/usb@" not in str(camera.get("Id", ""))]
        except Exception as error:  # libcamera's bindings raise whatever they like
            raise CameraLost(f"the Pi's cameras can't be listed ({error}); restart the Pi") from error
        if not cameras:
            raise NoCamera("no camera is connected to the Pi; switch it off, check the ribbon cable, and see that config.txt has camera_auto_detect=1")
        self.description = f"the Pi's camera ({cameras[0].get('Model', 'unknown')})"
        small = (width // 2 * 2, height // 2 * 2)
        large = (detail_width // 2 * 2, round(detail_width * small[1] / small[0] / 2) * 2)
        try:
            self._device = driver(cameras[0].get("Num", 0))
        except Exception as error:
            if _is_busy(error):
                raise CameraLost(f"{self.description} is busy: another program holds it, or the service does (sudo fuser -v /dev/media* names it); end that one") from error
            raise CameraLost(f"{self.description} does not open ({error}); check the ribbon cable, and restart the Pi if it stays so") from error
        try:
            self._streams = self._start(small, large)
        except NoCamera:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise CameraLost(f"{self.description} does not start ({error}); end other programs that use it, or restart the Pi") from error

    def _start(self, small: tuple[int, int], large: tuple[int, int]) -> Mapping[str, Mapping[str, Any]]:
        device = self._device
        # Few buffers, for they come from a small pool that does not recover from fragments; no queue, so that a frame is never old.
        wanted = device.create_video_configuration(
            main={"size": large, "format": "YUV420"},
            lores={"size": small, "format": "YUV420"},
            raw=None,
            buffer_count=3,
            queue=False,
            display=None,
            encode=None,
            controls={"FrameDurationLimits": _FRAME_DURATION_US, **({"AfMode": _AF_CONTINUOUS} if "AfMode" in device.camera_controls else {})},
        )
        # From 1280x720 on picamera2 asks for BT.709; its own default has the type that it takes, which this adapter need not import.
        if (space := wanted.get("colour_space")) is not None:
            wanted["colour_space"] = type(space).Smpte170m()
        device.configure(wanted)
        # The driver gives what it can: sizes, formats and strides are what it says now, not what it was asked for.
        given = device.camera_configuration()
        for name in ("main", "lores"):
            if str(given[name]["format"]) not in _LAYOUTS:
                raise NoCamera(f"{self.description} gives {given[name]['format']}, which is not understood; use a camera that gives YUV420 or NV12")
        device.start()
        return {name: dict(given[name]) for name in ("main", "lores")}

    def read(self) -> Frame | None:
        """Return the next frame after it is due.

        Raises:
            CameraLost: no frame within the time-out, unplugged, or closed.
        """
        if not self._pacer.wait():
            raise CameraLost(f"{self.description} is closed; open it again")
        with self._reading:
            if self._closed.is_set():
                raise CameraLost(f"{self.description} is closed; open it again")
            try:
                if not self._sequence:
                    self._settle()
                with self._device.captured_request(wait=self._timeout_s) as request:
                    t_s = time.monotonic()
                    image, detail = self._copy(request, "lores"), self._copy(request, "main")
            except Exception as error:
                self._pacer.stop()
                if self._closed.is_set():
                    raise CameraLost(f"{self.description} is closed; open it again") from error
                reason = f"gave no frame for {self._timeout_s:g} s" if isinstance(error, TimeoutError) else f"failed ({error})"
                raise CameraLost(f"{self.description} {reason}; check the ribbon cable") from error
        frame = Frame(image, t_s, self._sequence, detail)
        self._sequence += 1
        return frame

    def _settle(self) -> None:
        """Give frames back unread until the exposure has settled."""
        until_s = time.monotonic() + self._settle_s
        while time.monotonic() < until_s:
            with self._device.captured_request(wait=self._timeout_s) as request:
                if _settled(request.get_metadata()):
                    return

    def _copy(self, request: Any, name: str) -> Image:
        stream = self._streams[name]
        return unpack_planes(request.make_buffer(name), _LAYOUTS[str(stream["format"])], (stream["size"][0], stream["size"][1]), stream["stride"])

    def set_rate(self, fps: float) -> None:
        """Give so many frames per second; the sensor keeps its own rate for the sake of exposure."""
        self._pacer.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Stop, or start, what sets exposure, gain and the gains of the colours; stopped, they stay as the last frame had them."""
        if self._closed.is_set():
            return
        try:
            # Not every sensor has both, and the driver takes none of what it does not have.
            there = self._device.camera_controls
            self._device.set_controls({name: not on for name in _AUTOMATIC if name in there})
        except Exception as error:  # noqa: BLE001 - the next frame says whether the camera is lost
            log.warning("%s does not %s its exposure: %s", self.description, "hold" if on else "let go of", error)

    def close(self) -> None:
        """Give the device back, which ends a blocked read.

        A driver that hangs keeps the interpreter to itself (libcamera's bindings hold its lock while a camera stops), so
        that no deadline in this process would help.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        self._pacer.stop()
        try:
            # A request that timed out stays queued and would hold up the close.
            self._device.cancel_all_and_flush()
            with self._reading:
                self._device.stop()
                self._device.close()
        except Exception as error:  # noqa: BLE001 - a driver that is already gone has nothing more to give back
            log.warning("%s did not close cleanly: %s", self.description, error)


def _settled(metadata: Mapping[str, Any]) -> bool:
    """Whether the exposure has settled, where the driver says so: ``AeState`` since libcamera 0.5, ``AeLocked`` before."""
    if (state := metadata.get("AeState")) is not None:
        return int(state) != _AE_SEARCHING
    return bool(metadata.get("AeLocked"))


def _is_busy(error: BaseException) -> bool:
    """Whether another owner is the reason; picamera2 wraps libcamera's error once or twice, depending on its version."""
    return any("busy" in str(cause).lower() for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _import_picamera2() -> Any:
    try:
        from picamera2 import Picamera2
    except Exception as error:  # one that is built against another NumPy ends in a ValueError, for instance
        raise NoCamera(NOT_USABLE.format(error)) from error
    return Picamera2
