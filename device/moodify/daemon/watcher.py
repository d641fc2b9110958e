"""The watcher: turns frames into observations, on a thread of its own, and keeps the camera open, or closed for privacy."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from moodify.camera.steady import Ended, Lost, Opened
from moodify.daemon.signals import CameraIs, RecordingEnded, Seen, State, Stop
from moodify.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.camera.steady import News, SteadyCamera
    from moodify.config.model import CameraConfig
    from moodify.daemon.aiming import Aiming
    from moodify.daemon.signals import Signal
    from moodify.daemon.skin_look import SkinLooks
    from moodify.system.clock import RecordingClock
    from moodify.types import Observation
    from moodify.vision.eyes import Eyes

log = logging.getLogger(__name__)

#: Longest wait for the camera's news, in seconds: so long does privacy take to begin at most.
TURN_S = 0.25
#: Without a turn of the loop for so long, in seconds, the watcher is not alive.
ALIVE_S = 10.0
#: After a press it looks at the scan's rate, and at every frame, for so many seconds.
SCAN_S = 4.0
PRIVACY_MESSAGE = "off for privacy"
#: Said where privacy is on and the device could not be closed.
STILL_OPEN_MESSAGE = "privacy is on, but the camera's driver does not answer and may still hold the device; unplug the camera"


class Watcher:
    """One thread that owns camera and eyes. No pixels leave it, but to a person who aims the camera."""

    def __init__(
        self,
        open_camera: Callable[[], SteadyCamera],
        eyes: Eyes,
        config: CameraConfig,
        put: Callable[[Signal], None],
        *,
        privacy: bool = False,
        privacy_why: str = "",
        recording: RecordingClock | None = None,
        aiming: Aiming | None = None,
        skin: SkinLooks | None = None,
    ) -> None:
        """Take what opens the camera, what sees, and the conductor's queue.

        Args:
            open_camera: starts opening it, or opening it again.
            eyes: used on this thread alone from now on.
            config: how many frames per second are looked at.
            put: takes signals.
            privacy: whether to begin with the camera closed.
            privacy_why: and why, for a person.
            recording: the clock that a recording's frames move; with it each frame waits until what follows from the last is done.
            aiming: is shown frames while a person aims the camera; None shows them to nobody.
            skin: looks at frames while a person has their skin looked at; None looks at nobody's.
        """
        self._open_camera = open_camera
        self._eyes = eyes
        self._config = config
        self._put = put
        self._recording = recording
        self._aiming = aiming
        self._skin = skin
        self._privacy = privacy
        self._privacy_why = privacy_why
        self._changed = threading.Condition()
        self._closing = False
        self._anew = False
        self._scan_until_s = float("-inf")
        self._turned_s = time.monotonic()
        self._camera: SteadyCamera | None = None
        self._fps = 0.0
        self._exposure_held = False

    @property
    def alive(self) -> bool:
        """Whether the loop has turned lately, with or without a frame."""
        return time.monotonic() - self._turned_s < ALIVE_S

    def scan(self) -> None:
        """Look closely for some seconds; from any thread."""
        self._scan_until_s = time.monotonic() + SCAN_S
        camera = self._camera
        if camera is not None:
            # At once: at the idle rate the next frame may be a second away.
            camera.set_rate(self._config.scan_fps)

    def set_privacy(self, on: bool, why: str = "") -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera device, or let it be opened again, within :data:`TURN_S`; from any thread. ``why``: for a person."""
        with self._changed:
            self._privacy_why = why
            self._privacy = on
            if on:
                self._show_no_more()
            self._changed.notify_all()

    def open_anew(self) -> None:
        """Close the camera, and open it again; from any thread."""
        self._anew = True

    def close(self) -> None:
        """End the thread; from any thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def run(self) -> None:
        """Watch until closed; the thread's target."""
        try:
            while not self._closing:
                self._turned_s = time.monotonic()
                if self._aiming is not None:
                    self._aiming.end_if_over()
                if self._skin is not None:
                    self._skin.end_if_over()
                if self._anew:
                    self._anew = False
                    self._look_at_skin_no_more("the camera was changed; begin again")
                    self._close_camera()
                if self._privacy:
                    self._be_private()
                elif not self._watch():
                    return
        finally:
            self._show_no_more("Moodify was ended; begin again once it runs")
            self._close_camera()

    def _show_no_more(self, why: str = "privacy is on and the camera is closed; turn privacy off, and begin again") -> None:
        if self._aiming is not None:
            self._aiming.end()
        self._look_at_skin_no_more(why)

    def _look_at_skin_no_more(self, why: str) -> None:
        if self._skin is not None:
            self._skin.fail(why)

    def _be_private(self) -> None:
        self._show_no_more()
        camera = self._close_camera()
        if _held(camera):
            self._put(CameraIs(State.BROKEN, STILL_OPEN_MESSAGE))
            while _held(camera) and not self._closing:
                self._rest()
        # Said once it is true, not when it was asked for.
        said = self._say_private()
        while self._privacy and not self._closing:
            self._rest()
            # Who began just before privacy must not go on when it ends.
            self._show_no_more()
            if said != self._privacy_why and self._may_not_look():
                said = self._say_private()

    def _say_private(self) -> str:
        with self._changed:
            why = self._privacy_why
        self._put(CameraIs(State.OFF, f"{PRIVACY_MESSAGE}, {why}" if why else PRIVACY_MESSAGE))
        return why

    def _rest(self) -> None:
        self._turned_s = time.monotonic()
        with self._changed:
            if not self._closing:
                self._changed.wait(1.0)

    def _close_camera(self) -> SteadyCamera | None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
        return camera

    def _watch(self) -> bool:
        """Take one piece of news; return False at the end."""
        if self._camera is None:
            self._put(CameraIs(State.STARTING, "opening"))
            self._fps = 0.0
            self._camera = self._open_camera()
            self._exposure_held = False
        if self._skin is not None and self._skin.wants_frames and self._fps < self._config.face_fps:
            # At once: at the idle rate the next frame may be a second away.
            self._go_at(self._camera, self._config.face_fps)
        news = self._camera.next(TURN_S)
        if isinstance(news, Frame):
            self._look(self._camera, news)
            return True
        return self._tell(news)

    def _tell(self, news: News | None) -> bool:
        match news:
            case Opened(description=description):
                self._put(CameraIs(State.OK, description))
            case Lost(reason=reason, needs_person=needs_person):
                self._exposure_held = False
                self._look_at_skin_no_more(f"the camera was lost ({reason}); begin again once it gives pictures")
                self._put(CameraIs(State.BROKEN if needs_person else State.DEGRADED, reason))
            case Ended(error=None):
                self._put(RecordingEnded())
                return False
            case Ended(error=error):
                self._put(CameraIs(State.BROKEN, str(error)))
                self._put(Stop(f"the camera can't work: {error}", failed=True))
                return False
        return True

    def _look(self, camera: SteadyCamera, frame: Frame) -> None:
        if self._privacy:
            return
        if self._recording is not None:
            self._recording.advance_to(frame.t_s)
        scanning = time.monotonic() < self._scan_until_s
        skin = self._skin if self._skin is not None and self._skin.wants_frames else None
        # Whose skin is looked at is seen by nobody else, though both may have begun at once.
        aimed = self._aiming is not None and skin is None and self._aiming.show(frame)
        if not self._may_look():
            # Privacy began just now.
            self._show_no_more()
            return
        observation = self._eyes.see(frame, closely=scanning or skin is not None)
        self._pace(camera, observation, scanning=scanning, watched=aimed or skin is not None)
        self._hold(camera, on=skin is not None and self._may_look() and skin.look(frame, [seen.face for seen in observation.faces]))
        if self._recording is None:
            self._put(Seen(observation))
            return
        handled = threading.Event()
        self._put(Seen(observation, handled))
        while not self._closing and not handled.wait(TURN_S):
            self._turned_s = time.monotonic()

    def _may_look(self) -> bool:
        return not self._privacy

    def _may_not_look(self) -> bool:
        # Reason and privacy change as one.
        with self._changed:
            return self._privacy

    def _hold(self, camera: SteadyCamera, *, on: bool) -> None:
        if on != self._exposure_held:
            self._exposure_held = on
            camera.hold_exposure(on)

    def _pace(self, camera: SteadyCamera, observation: Observation, *, scanning: bool, watched: bool) -> None:
        self._go_at(camera, self._config.scan_fps if scanning else self._config.face_fps if watched or observation.faces or observation.moved else self._config.idle_fps)

    def _go_at(self, camera: SteadyCamera, fps: float) -> None:
        if fps != self._fps:
            self._fps = fps
            camera.set_rate(fps)


def _held(camera: SteadyCamera | None) -> bool:
    return camera is not None and camera.open
