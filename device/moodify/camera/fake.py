"""A camera with levers, for tests and for trying things out: what the world would do to a real one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from moodify.camera.base import Closing, Pacer
from moodify.errors import CameraLost
from moodify.types import Frame, Image, PixelLayout

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self


class FakeCamera(Closing):
    """Gives whatever it is shown, until it is unplugged or hangs. Its levers may be pulled from any thread."""

    live = True
    description = "a fake camera"

    def __init__(self, image: Image | None = None, *, fps: float = 100.0, timeout_s: float = 5.0, now_s: Callable[[], float] = time.monotonic) -> None:
        """Open it, looking at ``image`` (default: 320x240 of grey)."""
        self._image = image if image is not None else Image(np.full((240, 320, 3), 96, np.uint8), PixelLayout.RGB)
        self._detail: Image | None = None
        self._fps = fps
        self._timeout_s = timeout_s
        self._now_s = now_s
        self._sequence = 0
        self._plugged_in = True
        self._hung = False
        self._occupied = False
        self._jammed = False
        self._lost: str | None = None
        self._wake = threading.Condition()
        self._pacer = Pacer(fps)
        self._held: list[bool] = []

    def show(self, image: Image, detail: Image | None = None) -> None:
        """Put something else in front of it."""
        with self._wake:
            self._image, self._detail = image, detail

    def unplug(self) -> None:
        """Pull the cable: reads fail, and so does opening, until :meth:`plug_in`."""
        with self._wake:
            self._plugged_in = False
            self._lost = "unplugged"
            self._wake.notify_all()

    def plug_in(self) -> None:
        """Put the cable back; what was open stays lost, as with a real device."""
        with self._wake:
            self._plugged_in = True

    def occupy(self) -> None:
        """Let another program take it as soon as it is free: opening fails until :meth:`vacate`."""
        with self._wake:
            self._occupied = True

    def vacate(self) -> None:
        """Let that program end."""
        with self._wake:
            self._occupied = False

    def jam(self) -> None:
        """Keep the device when it is closed, as a driver that hangs does, until :meth:`let_go`."""
        with self._wake:
            self._jammed = True

    def let_go(self) -> None:
        """Give the device back at last."""
        with self._wake:
            self._jammed = False

    def hang(self) -> None:
        """Give no frame any more, until it is opened again."""
        with self._wake:
            self._hung = True

    def reopen(self) -> Self:
        """Open it again, as a factory of cameras does.

        Raises:
            CameraLost: it is unplugged or busy.
        """
        with self._wake:
            if self._occupied:
                raise CameraLost("the fake camera is busy: another program holds it; end that one")
            if not self._plugged_in:
                raise CameraLost("the fake camera is unplugged; plug it in")
            self._hung, self._lost, self._held = False, None, []
            self._pacer = Pacer(self._fps)
            return self

    @property
    def stuck(self) -> bool:
        """Whether it was closed while it is jammed."""
        return self._jammed and self.closed

    @property
    def closed(self) -> bool:
        """Whether the device was given back."""
        return self._pacer.stopped

    def read(self) -> Frame | None:
        """Return what it looks at.

        Raises:
            CameraLost: unplugged, hung for longer than the time-out, or closed.
        """
        due = self._pacer.wait()
        with self._wake:
            if due and self._hung and not self._wake.wait_for(lambda: self._lost is not None or self.closed, self._timeout_s):
                self._lost = f"no frame for {self._timeout_s:g} s"
            if self.closed:
                raise CameraLost("the fake camera is closed; open it again")
            if self._lost:
                raise CameraLost(f"the fake camera is lost: {self._lost}")
            frame = Frame(self._image, self._now_s(), self._sequence, self._detail)
            self._sequence += 1
            return frame

    def set_rate(self, fps: float) -> None:
        """Give so many frames per second."""
        self._pacer.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Keep count: see :attr:`held`."""
        with self._wake:
            self._held.append(on)

    @property
    def held(self) -> tuple[bool, ...]:
        """What :meth:`hold_exposure` was told, since it was opened last."""
        return tuple(self._held)

    def close(self) -> None:
        """Close it, which ends a blocked read."""
        self._pacer.stop()
        with self._wake:
            self._wake.notify_all()
