"""A camera that heals: opened, read and, when it is lost, opened again, on a thread of its own.

Whoever reads it never waits longer than it asks to, whatever the device does::

    camera = SteadyCamera(CameraOpener(config), retry_max_s=config.retry_max_s)
    while True:
        news = camera.next(1.0)      # the watchdog's beat
        match news:
            case None: ...           # nothing within a second
            case Frame(): ...
            case Opened(): ...       # say what it is; a recording is told by live=False
            case Lost(): ...         # say why, and when it is tried again
            case Ended(): break      # a recording is over, or error says why it can never work
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from moodify.camera.base import Closing
from moodify.errors import CameraLost, MoodifyError, PersonMustAct, RetryLater
from moodify.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.camera.port import Camera

log = logging.getLogger(__name__)

#: How often a driver that keeps the device is looked at, in seconds.
_STUCK_S = 0.5


@dataclass(frozen=True, slots=True)
class Opened:
    """The camera is open; frames follow."""

    description: str
    live: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The camera was lost, or could not be opened."""

    reason: str
    """For a person; ends with the next step."""
    retry_in_s: float
    """When it is tried again."""
    needs_person: bool
    """Whether somebody must do something first; it is tried again all the same."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows: a recording is over, or ``error`` says why this source can never work."""

    error: MoodifyError | None = None


News: TypeAlias = Frame | Opened | Lost | Ended


class SteadyCamera(Closing):
    """Frames and news of a camera. A frame is read when it is asked for, so it is new and none is read in vain."""

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        *,
        retry_max_s: float = 60.0,
        retry_first_s: float = 1.0,
        close_within_s: float = 5.0,
        give_up: threading.Event | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Start opening it.

        Args:
            open_camera: opens it, or raises a :class:`~moodify.errors.MoodifyError`.
            retry_max_s: longest wait between two tries.
            retry_first_s: wait after the first loss. It doubles until a frame has come; each wait is shortened by up
                to half by chance, so that devices that fail together do not try together.
            close_within_s: how long :meth:`close` waits for a driver that hangs.
            give_up: set by :meth:`close`, for an ``open_camera`` that is under way; not before.
            rng: that chance.
        """
        self._open_camera = open_camera
        self._retry_s = (retry_first_s, max(retry_first_s, retry_max_s))
        self._close_within_s = close_within_s
        self._give_up = give_up if give_up is not None else threading.Event()
        self._give_up.clear()
        self._rng = rng if rng is not None else random.Random()  # noqa: S311 - jitter is no secret
        self._state = threading.Condition()
        self._news: deque[News] = deque()
        self._wanted = False
        self._closed = False
        self._frames = 0
        self._fps: float | None = None
        self._camera: Camera | None = None
        # It may be closed by several threads at once, of which only one may join another: see moodify.camera.v4l2.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def next(self, timeout_s: float) -> News | None:
        """Return the next news, or None where there is none within ``timeout_s``.

        Raises:
            CameraLost: it was closed.
        """
        with self._state:
            self._wanted = True
            self._state.notify_all()
            self._state.wait_for(lambda: bool(self._news) or self._closed, timeout_s)
            if self._closed:
                raise CameraLost("the camera is closed; open it again")
            if not self._news:
                return None
            self._wanted = False
            return self._news.popleft()

    def set_rate(self, fps: float) -> None:
        """Say how many frames per second are wanted, now and after each opening."""
        with self._state:
            self._fps = fps
            camera = self._camera
        if camera is not None:
            camera.set_rate(fps)

    def hold_exposure(self, on: bool) -> None:  # noqa: FBT001 - the port's
        """Tell the camera that is open now; the next opening begins without."""
        with self._state:
            camera = self._camera
        if camera is not None:
            camera.hold_exposure(on)

    def close(self) -> None:
        """Close the device and end every wait, from any thread.

        Returns when the device is given back, or after ``close_within_s`` with a warning if its driver hangs: see :attr:`open`.
        """
        with self._state:
            self._closed = True
            self._give_up.set()
            camera = self._camera
            self._state.notify_all()
        if camera is not None:
            camera.close()
        if threading.current_thread() is not self._thread and not self._ended.wait(self._close_within_s):
            log.warning("the camera is not closed after %s s; it will be as soon as its driver answers", self._close_within_s)

    @property
    def open(self) -> bool:
        """Whether the device is held, or may be because its driver has not answered yet."""
        return self._camera is not None or (self._closed and not self._ended.is_set())

    def _run(self) -> None:
        try:
            self._keep_open()
        finally:
            self._ended.set()

    def _keep_open(self) -> None:
        wait_s = self._retry_s[0]
        while not self._closed:
            frames_before = self._frames
            try:
                self._watch()
            except (RetryLater, PersonMustAct) as error:
                reason, needs_person = str(error), isinstance(error, PersonMustAct)
            except MoodifyError as error:
                self._tell(Ended(error))
                return
            except Exception as error:
                # An adapter that lets a vendor's exception out must not leave the house blind for good.
                log.exception("the camera failed in a way that its adapter does not know")
                reason, needs_person = f"the camera failed ({error!r}); report this with the log", False
            else:
                self._tell(Ended())
                return
            if self._frames > frames_before:
                wait_s = self._retry_s[0]
            pause_s = wait_s * self._rng.uniform(0.5, 1.0)
            wait_s = min(wait_s * 2, self._retry_s[1])
            self._tell(Lost(reason, pause_s, needs_person))
            with self._state:
                self._state.wait_for(lambda: self._closed, pause_s)

    def _watch(self) -> None:
        """Open the camera and pass its frames on; return at the end of a recording, or when closed."""
        with self._open_camera() as camera:
            with self._state:
                if self._closed:
                    return
                self._camera = camera
                fps = self._fps
            try:
                if fps is not None:
                    camera.set_rate(fps)
                self._tell(Opened(camera.description, camera.live))
                while self._await_reader():
                    frame = camera.read()
                    if frame is None:
                        return
                    self._frames += 1
                    self._tell(frame)
            finally:
                camera.close()
                self._await_release(camera)
                with self._state:
                    self._camera = None

    def _await_release(self, camera: Camera) -> None:
        """Wait for as long as a driver keeps the device: there is never a second owner, and :attr:`open` tells the truth."""
        if not camera.stuck:
            return
        self._tell(Lost(f"{camera.description} does not give its device back, so that it can't be opened again; switch the power off and on", _STUCK_S, needs_person=True))
        while camera.stuck:
            with self._state:
                self._state.wait(_STUCK_S)

    def _await_reader(self) -> bool:
        """Wait until a frame is wanted; False when closed."""
        with self._state:
            self._state.wait_for(lambda: self._closed or (self._wanted and not self._news))
            return not self._closed

    def _tell(self, news: News) -> None:
        with self._state:
            if not self._closed:
                self._news.append(news)
                self._state.notify_all()
