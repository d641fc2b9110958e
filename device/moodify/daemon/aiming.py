"""The one picture that leaves the watcher, by a person's act: the camera's view while its owner aims it, for two minutes.

At most one encoded picture is in memory, the newest; it is made only when it was asked for, is given to one request, and nothing
is kept once the time is over, the person is done, or privacy begins. What asks sees to it that it is the owner who is signed in.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from moodify.daemon.signals import Aiming as AimingIs
from moodify.errors import CameraLost, NotPermitted, PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.signals import Signal
    from moodify.types import Frame, Image

#: How long a person may aim, in seconds.
LASTS_S = 120.0
#: Longest wait for the next frame, in seconds.
FRAME_S = 3.0


class Aiming:
    """Who aims, and until when. Safe from any thread.

    Args:
        put: takes a signal when it begins and ends.
        encode: makes a JPEG of an image; unset takes :func:`moodify.vision.jpeg.jpeg`.
        private: whether privacy is on.
        taken: whether somebody has their skin looked at, whom nobody is to see meanwhile.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        put: Callable[[Signal], None],
        *,
        private: Callable[[], bool] = lambda: False,
        taken: Callable[[], bool] = lambda: False,
        encode: Callable[[Image], bytes] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show nothing yet."""
        self._put, self._private, self._taken, self._encode, self._clock = put, private, taken, encode, clock
        self._changed = threading.Condition()
        self._who: str | None = None
        self._name = ""
        self._until_s = 0.0
        self._wanted = 0
        self._picture: bytes | None = None

    def begin(self, who: str, name: str) -> float:
        """Let a person see what the camera sees, and return for how many seconds; anybody else's aiming is over.

        Args:
            who: their account's id.
            name: as it is told in the room.

        Raises:
            PersonMustAct: privacy is on.
            RetryLater: somebody has their skin looked at.
        """
        if self._private():
            raise PersonMustAct("privacy is on and the camera is closed; turn privacy off to aim the camera")
        if self._taken():
            raise RetryLater("somebody has their skin looked at, and is not to be seen by others meanwhile; wait until that is over, about a minute", retry_after_s=10.0)
        with self._changed:
            self._forget()
            self._who, self._name, self._until_s = who, name, self._clock() + LASTS_S
        self._put(AimingIs(on=True, by=name))
        return LASTS_S

    @property
    def under_way(self) -> bool:
        """Whether somebody aims."""
        with self._changed:
            return self._who is not None and self._clock() < self._until_s

    def left_s(self, who: str) -> float:
        """Return for how many seconds more a person may look; 0 where they don't aim."""
        with self._changed:
            return max(self._until_s - self._clock(), 0.0) if self._who == who else 0.0

    def end(self) -> None:
        """Show nothing from now on, and forget what was to be shown. Ended already is done."""
        with self._changed:
            ended, name = self._who is not None, self._name
            self._forget()
        if ended:
            self._put(AimingIs(on=False, by=name))

    def picture(self, who: str) -> bytes:
        """Return the next frame as a JPEG; waits for it up to :data:`FRAME_S`.

        Raises:
            NotPermitted: this person does not aim, or the time is over, or privacy began.
            CameraLost: there was no frame.
        """
        with self._changed:
            self._wanted += 1
            try:
                self._picture = None
                self._changed.wait_for(lambda: self._picture is not None or not self._aims(who), timeout=FRAME_S)
                picture = self._newest()
                aims = self._aims(who)
            finally:
                self._wanted -= 1
                if not self._wanted:
                    self._picture = None
        if not aims:
            self.end_if_over()
            raise NotPermitted("the camera's picture is not shown now: aiming is over after two minutes, and when privacy begins; begin again")
        if picture is None:
            raise CameraLost("the camera gives no picture now; look at its cable and its message, and try again", retry_after_s=1.0)
        return picture

    def show(self, frame: Frame) -> bool:
        """Take a frame of the camera, where somebody waits for one; return whether somebody aims. On the watcher's thread."""
        with self._changed:
            aiming = self._who is not None
            wanted = aiming and self._wanted > 0 and self._clock() < self._until_s
        if aiming:
            self.end_if_over()
        if not wanted:
            return aiming
        encoded = self._jpeg(frame.image)
        with self._changed:
            if self._who is not None and self._wanted:
                self._picture = encoded
                self._changed.notify_all()
        return True

    def end_if_over(self) -> None:
        """End it where its time is over."""
        with self._changed:
            over = self._who is not None and self._clock() >= self._until_s
        if over:
            self.end()

    def _aims(self, who: str) -> bool:
        return self._who == who and self._clock() < self._until_s and not self._private()

    def _newest(self) -> bytes | None:
        return self._picture

    def _forget(self) -> None:
        self._who, self._name, self._until_s, self._picture = None, "", 0.0, None
        self._changed.notify_all()

    def _jpeg(self, image: Image) -> bytes:
        if self._encode is None:
            from moodify.vision.jpeg import jpeg

            self._encode = jpeg
        return self._encode(image)
