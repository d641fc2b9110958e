"""The look at a person's skin that is under way: fed with frames by the watcher, followed by its person alone.

Pixels stay on the watcher's thread, within one call: what is kept of a frame are the numbers of :mod:`moodify.skin.capture`.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.daemon.signals import SkinLook, State
from moodify.daemon.skin_under_way import UnderWay
from moodify.daemon.threads import guarded
from moodify.errors import MoodifyError, NotPermitted, PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from moodify.daemon.signals import Signal
    from moodify.skin.capture import Guidance
    from moodify.types import Face, Frame
    from moodify.web.port import PartNow
    from moodify.web.skin_port import LookNow, SkinKeeping

log = logging.getLogger(__name__)

#: Who does not ask how it stands for so long, in seconds, has left.
LEFT_S = 10.0
#: For so long, in seconds, can it be asked how it ended.
TOLD_S = 60.0
_INSIDE = "your skin can't be looked at, for something went wrong inside Moodify; look into its log: journalctl -u moodify"


class SkinLooks:
    """Implements :class:`moodify.web.skin_port.SkinLooking`. Safe from any thread."""

    def __init__(
        self,
        keeping: SkinKeeping,
        put: Callable[[Signal], None],
        *,
        private: Callable[[], bool] = lambda: False,
        camera: Callable[[], PartNow] = lambda: {"state": "ok", "message": ""},
        aims: Callable[[], bool] = lambda: False,
        portraits: Callable[[], bool] = lambda: False,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        date_doubted: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at nobody yet.

        Args:
            keeping: what people allow, and where results go.
            put: takes a signal when a look begins and ends.
            private: whether privacy is on.
            camera: how the camera is.
            aims: whether somebody aims the camera.
            portraits: whether it is the sample's portraits that are seen: they are nobody's skin, so that nothing of such a look is kept.
            utc: dates results.
            date_doubted: whether that date is known to be wrong; asked on a thread of its own.
            clock: seconds that only go forward.
        """
        self._keeping, self._put = keeping, put
        self._private, self._camera, self._aims, self._portraits = private, camera, aims, portraits
        self._utc, self._date_doubted, self._clock = utc, date_doubted, clock
        self._changed = threading.Condition()
        self._look: UnderWay | None = None
        self._version = 0

    # -- for its person

    def begin(self, user: UUID, name: str, *, skin_type: int | None, keep: bool = True) -> LookNow:
        """Begin to look; see :class:`~moodify.web.skin_port.SkinLooking`."""
        from moodify.skin.capture import Capture

        if not self._allowed(user):
            raise NotPermitted("nobody's skin is looked at who has not agreed to it; read what it is, and switch it on for yourself")
        if self._private():
            raise PersonMustAct("privacy is on and the camera is closed; turn privacy off to have your skin looked at")
        self._require_camera()
        if self._aims():
            raise RetryLater("somebody aims the camera and sees its picture; wait until that is over, two minutes at most", retry_after_s=LEFT_S)
        self.end_if_over()
        with self._changed:
            before = self._look
            if before is not None and before.user != user and not before.is_over:
                raise RetryLater("somebody else has their skin looked at; wait until that is over, about a minute", retry_after_s=LEFT_S)
            if before is not None:
                # Its result, if it comes yet, is no news to the room.
                before.said_over = True
            portrait = self._portraits()
            look = UnderWay(user, name, skin_type, keep and not portrait, Capture(), self._clock(), self._next_version(), portrait)
            self._look = look
            self._changed.notify_all()
            # Under the lock, here and at the end: the room hears of looks in the order in which they were.
            self._put(SkinLook(on=True, by=name))
        log.info("A look at a person's skin has begun")
        return look.now()

    def now(self, user: UUID, after: int = 0, timeout_s: float = 0.0) -> LookNow | None:
        """Return how it stands; see :class:`~moodify.web.skin_port.SkinLooking`."""
        if timeout_s:
            # Whoever waits may wait for the database too.
            self._end_where_not_allowed(user)
        with self._changed:
            followed = self._of(user)
            if followed is None:
                return None
            followed.waiting += 1
            try:
                self._changed.wait_for(lambda: self._is_news(followed, after), timeout_s)
            finally:
                followed.waiting -= 1
                followed.asked_s = self._clock()
            newest = self._of(user)
            return None if newest is None else newest.now()

    def end(self, user: UUID) -> None:
        """End it without a result; see :class:`~moodify.web.skin_port.SkinLooking`."""
        with self._changed:
            look = self._of(user)
            if look is None:
                return
            look.given_up = True
            self._look = None
            self._tell_end(look)
            self._changed.notify_all()

    # -- for the watcher

    @property
    def under_way(self) -> bool:
        """Whether somebody's skin is being looked at, or what was seen is being kept."""
        look = self._look
        return look is not None and not look.is_over

    @property
    def wants_frames(self) -> bool:
        """Whether the next frame is wanted; costs nothing to ask."""
        look = self._look
        return look is not None and look.wants_frames

    def look(self, frame: Frame, faces: Sequence[Face]) -> bool:
        """Look at a frame with the faces that were found in it; return whether the exposure is to be held from now on. On the watcher's thread."""
        look = self._look
        if look is None or not look.wants_frames:
            return False
        try:
            guidance = look.capture.look(frame, faces)
        except Exception:
            # What a picture does to one person's look must not take the room's eyes away.
            log.exception("A look at a person's skin failed")
            self._fail(look, _INSIDE)
            return False
        with self._changed:
            if look is not self._look or look.is_over:
                return False
            if guidance != look.guidance:
                look.guidance = guidance
                self._news(look)
        if guidance.is_over:
            self._conclude(look, guidance)
            return False
        return look.exposure.follow(guidance)

    def fail(self, why: str) -> None:
        """End it without a result, where one is under way; ``why``, for a person, ends with the next step."""
        with self._changed:
            look = self._look
        if look is not None and look.wants_frames:
            self._fail(look, why)

    def end_if_over(self) -> None:
        """End it where its person has left, and forget how the last one ended after a while."""
        with self._changed:
            look = self._look
            if look is None or look.waiting:
                return
            silent_s = self._clock() - look.asked_s
            if not (look.wants_frames and silent_s >= LEFT_S) and not (look.is_over and silent_s >= TOLD_S):
                return
            self._look = None
            self._tell_end(look)
            self._changed.notify_all()

    # -- what follows

    def _conclude(self, look: UnderWay, guidance: Guidance) -> None:
        from moodify.skin.capture import Step

        if guidance.step is Step.GAVE_UP:
            self._fail(look, guidance.say)
        else:
            # The database may make its caller wait, and the room is to be seen meanwhile.
            guarded("skin look", lambda: self._keep(look), self._put).start()

    def _keep(self, look: UnderWay) -> None:
        from moodify.skin.summing import summarise

        shots, took_s = look.capture.shots, look.capture.duration_s
        try:
            earlier = [each.record for each in self._keeping.looks(look.user)]
            record = summarise(shots, looked_at=self._utc(), duration_s=took_s, earlier=earlier, skin_type=look.skin_type, date_doubted=self._date_doubted())
            if not look.awaits_result():
                return
            kept = self._keeping.keep(look.user, record).id if look.keep else None
        except MoodifyError as error:
            self._fail(look, str(error))
        except Exception:
            log.exception("What a look at a person's skin found can't be kept")
            self._fail(look, _INSIDE)
        else:
            with self._changed:
                awaited = look.awaits_result()
                if awaited:
                    look.record, look.kept = record, kept
                    self._tell_end(look)
                    self._news(look)
            if not awaited and kept is not None:
                self._take_back(look.user, kept)

    def _take_back(self, user: UUID, kept: UUID) -> None:
        """Erase what was kept in the moment in which its person ended the look."""
        try:
            self._keeping.remove(user, kept)
        except MoodifyError as error:
            log.warning("A look that its person ended stays among theirs, where they can erase it: %s", error)

    def _allowed(self, user: UUID) -> bool:
        return self._keeping.standing(user).opted_in_at is not None

    def _end_where_not_allowed(self, user: UUID) -> None:
        """End a look that its person does not allow any more, wherever they said so."""
        look = self._of(user)
        if look is None or not look.wants_frames:
            return
        try:
            allowed = self._allowed(user)
        except MoodifyError as error:
            # Asked again within a second, and once more by what keeps it.
            log.debug("whether a look is still allowed is asked later: %s", error)
        else:
            if not allowed:
                self._fail(look, "you allow no looks at your skin any more; nothing of this one was kept")

    def _fail(self, look: UnderWay, why: str) -> None:
        with self._changed:
            if not look.is_over:
                look.failed = why
                self._tell_end(look)
                self._news(look)

    def _require_camera(self) -> None:
        camera = self._camera()
        match State(camera["state"]):
            case State.OK:
                return
            case State.STARTING | State.DEGRADED:
                raise RetryLater(f"the camera gives no pictures now: {camera['message']}; try again in a moment", retry_after_s=LEFT_S)
            case _:
                raise PersonMustAct(f"the camera gives no pictures: {camera['message']}")

    def _of(self, user: UUID) -> UnderWay | None:
        look = self._look
        return look if look is not None and look.user == user else None

    def _is_news(self, look: UnderWay, after: int) -> bool:
        return look is not self._look or look.is_over or look.version > after

    def _news(self, look: UnderWay) -> None:
        look.version = self._next_version()
        self._changed.notify_all()

    def _next_version(self) -> int:
        # Goes on over looks, so that whoever follows one is not confused by the next.
        self._version += 1
        return self._version

    def _tell_end(self, look: UnderWay) -> None:
        # Once, and not where the same person's next one has begun.
        if not look.said_over:
            look.said_over = True
            self._put(SkinLook(on=False, by=look.name))
            log.info("The look at a person's skin is over")
