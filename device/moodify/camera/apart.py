"""The Pi's camera, held by a process of its own.

libcamera's Python bindings keep the interpreter's lock while a camera starts, stops or is released. With a loose cable such a
call does not return, and every thread of its process stands still with it: measured with the real picamera2, see
``scripts/appliance/camera.sh``. A process can be ended whatever its driver does, and the kernel then takes the device back. Each
opening begins with a fresh driver, which libcamera's memory needs as well (it does not always come back otherwise).

Pixels cross in memory that these two processes share. It has no name in any folder, no program that either starts gets it, and
the kernel lets nobody but root reach it through ``/proc``, for neither process may be looked into
(:func:`~moodify.process.keep_memory_to_itself`). It holds one frame, the newest, and goes when the camera is closed.
"""

from __future__ import annotations

import array
import importlib.util
import json
import logging
import mmap
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from moodify.camera.base import Closing, Pacer
from moodify.camera.driver import HOLD, LET_GO, READ
from moodify.camera.pi import NOT_USABLE
from moodify.errors import CameraLost, NoCamera
from moodify.types import Frame, Image, PixelLayout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

#: ``-P``: nothing in the folder that it happens to start in is taken for a library.
_DRIVER = (sys.executable, "-P", "-m", "moodify.camera.driver")
#: How long an ended process may take to be gone; longer, and the kernel's driver hangs.
_KILLED_S = 1.0
#: What the driver's answer may take on top of the frame itself.
_ANSWER_S = 1.0
#: How often it is looked whether opening was given up, in seconds.
_GIVE_UP_LOOK_S = 0.1
#: The answers are short; the pixels are not in them.
_ANSWER_BYTES = 65536


class ApartCamera(Closing):
    """A camera in a process of its own, which is ended when it does not answer."""

    live = True

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        fps: float = 5.0,
        timeout_s: float = 5.0,
        settle_s: float = 1.0,
        open_within_s: float = 30.0,
        close_within_s: float = 2.0,
        command: Sequence[str] = _DRIVER,
        give_up: threading.Event | None = None,
    ) -> None:
        """Start the process and wait until the camera is open.

        The process ends with the thread that calls this, should that end without closing it.

        Args:
            options: further arguments of :class:`~moodify.camera.pi.PiCamera`.
            fps: frames per second until :meth:`set_rate` says otherwise; the sensor runs at its own.
            timeout_s: how long a frame may take.
            settle_s: how long the first frame waits for the exposure at most.
            open_within_s: how long opening may take; on a Pi Zero 2 W the libraries alone take seconds.
            close_within_s: how long the driver may take to give the camera back before its process is ended.
            command: what starts the process; the socket, this process and the options are appended.
            give_up: once it is set, opening is given up.

        Raises:
            NoCamera: picamera2 is not usable, no camera is connected, or it gives pixels that are not understood.
            CameraLost: it is busy or does not start, or opening was given up.
        """
        self.description = "the Pi's camera"
        self._timeout_s = timeout_s
        self._settle_s = settle_s
        self._close_within_s = close_within_s
        self._pacer = Pacer(fps)
        self._reading = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False
        self._memory: mmap.mmap | None = None
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = {**options, "timeout_s": timeout_s, "settle_s": settle_s}
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*command, str(theirs.fileno()), str(os.getpid()), json.dumps(arguments)],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={"LIBCAMERA_LOG_LEVELS": "*:ERROR", **os.environ},
                    # Ctrl-C is for the appliance, which then closes this.
                    process_group=0,
                )
            except OSError as error:
                self._socket.close()
                raise CameraLost(f"{self.description}: its process does not start ({error}); see whether memory is short") from error
        try:
            self._await_opening(open_within_s, give_up)
            self.description = str(self._hear(_ANSWER_S, "did not say how it opened")["description"])
        except BaseException:
            self.close()
            raise

    @property
    def stuck(self) -> bool:
        """Whether it was closed and its process can't be ended; while it lives, it holds the device."""
        return self._closed and self._process.poll() is None

    def read(self) -> Frame | None:
        """Return the next frame after it is due.

        Raises:
            CameraLost: no frame within the time-out, unplugged, the driver ended, or closed.
        """
        if not self._pacer.wait():
            raise CameraLost(f"{self.description} is closed; open it again")
        with self._reading:
            try:
                self._socket.send(READ)
            except OSError as error:
                raise self._ended() from error
            settle_s = self._settle_s if self._memory is None else 0.0
            frame = self._hear(self._timeout_s + settle_s + _ANSWER_S, "gave no frame")
            # The first is the small one.
            images, at = [], 0
            for rows, columns, layout in frame["images"]:
                pixels = np.frombuffer(self._pixels(), np.uint8, rows * columns, at).reshape(rows, columns).copy()
                images.append(Image(pixels, PixelLayout(layout)))
                at += pixels.size
        return Frame(images[0], float(frame["t_s"]), int(frame["sequence"]), images[1] if len(images) > 1 else None)

    def set_rate(self, fps: float) -> None:
        """Give so many frames per second; the sensor keeps its own rate for the sake of exposure."""
        self._pacer.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Have the driver do so, between two frames."""
        try:
            self._socket.send(HOLD if on else LET_GO)
        except OSError as error:
            log.debug("the driver is gone, as the next frame says: %s", error)

    def close(self) -> None:
        """Give the device back, which ends a blocked read. Returns within the deadlines even if the driver hangs: see :attr:`stuck`."""
        # Whoever comes second waits as well: when this returns, the device is given back.
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._pacer.stop()
            self._shut(socket.SHUT_WR)
            self._end()
            self._shut(socket.SHUT_RDWR)
            with self._reading:
                self._socket.close()
                if self._memory is not None:
                    self._memory.close()

    def _shut(self, how: int) -> None:
        try:
            self._socket.shutdown(how)
        except OSError as error:
            log.debug("the driver's end of the socket is gone: %s", error)

    def _end(self) -> None:
        try:
            self._process.wait(self._close_within_s)
        except subprocess.TimeoutExpired:
            log.warning("%s does not give its device back; its process is ended", self.description)
            self._process.kill()
        else:
            return
        try:
            self._process.wait(_KILLED_S)
        except subprocess.TimeoutExpired:
            log.error("%s hangs in the kernel's driver, and its process can't be ended; switch the Pi off and on", self.description)  # noqa: TRY400 - the trace says nothing more

    def _await_opening(self, within_s: float, give_up: threading.Event | None) -> None:
        """Wait until the driver has said how opening went, or for as long as that may take."""
        until_s = time.monotonic() + within_s
        while not select.select([self._socket], [], [], _GIVE_UP_LOOK_S)[0]:
            if give_up is not None and give_up.is_set():
                raise CameraLost(f"{self.description} is no longer wanted; open it again")
            if time.monotonic() >= until_s:
                raise CameraLost(f"{self.description} did not open within {within_s:g} s, its driver hangs; check the ribbon cable")

    def _hear(self, within_s: float, failing: str) -> dict[str, Any]:
        """Wait for the answer; raise what it says is wrong."""
        self._socket.settimeout(within_s)
        try:
            said, fds = self._receive()
        except TimeoutError as error:
            self._pacer.stop()
            raise CameraLost(f"{self.description} {failing} within {within_s:g} s, its driver hangs; check the ribbon cable") from error
        except OSError as error:
            raise self._ended() from error
        for fd in fds:
            with os.fdopen(fd, "rb") as memory:
                self._memory = mmap.mmap(memory.fileno(), 0, prot=mmap.PROT_READ)
        if not said:
            raise self._ended()
        answer: dict[str, Any] = json.loads(said)
        if answer["is"] == "none":
            raise NoCamera(answer["why"])
        if answer["is"] == "lost":
            self._pacer.stop()
            raise CameraLost(f"{self.description} is closed; open it again" if self._closed else answer["why"])
        return answer

    def _receive(self) -> tuple[bytes, array.array[int]]:
        # socket.recv_fds() would leave the memory open, for a moment, to what another thread starts.
        fds = array.array("i")
        said, with_it, _, _ = self._socket.recvmsg(_ANSWER_BYTES, socket.CMSG_LEN(fds.itemsize), socket.MSG_CMSG_CLOEXEC)
        for level, kind, data in with_it:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(data)
        return said, fds

    def _pixels(self) -> mmap.mmap:
        if self._memory is None:
            raise self._ended()
        return self._memory

    def _ended(self) -> CameraLost:
        self._pacer.stop()
        if self._closed:
            return CameraLost(f"{self.description} is closed; open it again")
        try:
            code = self._process.wait(_KILLED_S)
        except subprocess.TimeoutExpired:
            return CameraLost(f"{self.description}: its driver stopped answering; it is started again")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return CameraLost(f"{self.description}: its driver ended by itself ({how}); it is started again, and the log says more")


def open_pi(*, width: int, height: int, detail_width: int, fps: float, timeout_s: float, give_up: threading.Event | None = None) -> ApartCamera:
    """Open the Pi's camera; arguments and errors as of :class:`~moodify.camera.pi.PiCamera` and :class:`ApartCamera`."""
    # A machine without picamera2 need not start a process to hear so.
    if importlib.util.find_spec("picamera2") is None:
        raise NoCamera(NOT_USABLE.format("it is not installed"))
    return ApartCamera({"width": width, "height": height, "detail_width": detail_width}, fps=fps, timeout_s=timeout_s, give_up=give_up)
