"""What the speaker does, as far as it is known, and when it is looked at."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moodify.daemon.parts import Part
from moodify.daemon.signals import State
from moodify.errors import PersonMustAct, SpeakerNotFound
from moodify.music.names import same_speaker
from moodify.types import Act, EventKind, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.dj import Dj
    from moodify.daemon.recorder import Recorder
    from moodify.daemon.signals import OrderEnded, PlaybackSeen
    from moodify.types import Playback, Track


log = logging.getLogger(__name__)

#: A press that depends on what the speaker does waits so many seconds for a look at it, and then goes by what is known.
LOOK_WAIT_S = 3.0

#: A silent speaker in a room where nobody is seen is looked at this many times less often: each look is counted by the service.
SELDOM = 10


class Turntable:
    """The newest look at the speaker, its state as a part of the house, and the next look. Belongs to the conductor's thread."""

    def __init__(self, dj: Dj, recorder: Recorder, description: str, *, poll_s: float, speaker: str | None = None) -> None:
        """Know nothing yet, and want to look at once.

        Args:
            dj: who looks.
            recorder: what is told of it.
            description: what the speaker is, for a person.
            poll_s: seconds between two looks where nothing else says when.
            speaker: the name of the speaker that music is for; None takes any.
        """
        self._speaker = speaker
        self._dj = dj
        self._description = description
        self._poll_s = poll_s
        self.part = Part(EventKind.SPEAKER, recorder, description)
        self.playback: Playback | None = None
        self.playback_s = float("-inf")
        self.unanswered = False
        """Whether the newest look has brought no answer, or none in time for who waited for it."""
        self.upcoming: Track | None = None
        self._notices: tuple[str, ...] = ()
        """What a person should know although the speaker works."""
        self._fault: PersonMustAct | None = None
        """What a person must mend: a look at the speaker may work all the same, so it stands until an order has worked."""
        self._after_look: list[Callable[[], object]] = []
        self._act_by_s = float("inf")
        self._due_s = float("-inf")

    def order_ended(self, ended: OrderEnded, now_s: float) -> None:
        """Take note how an order ended; what the speaker does now is looked at."""
        decision = ended.order.decision
        if ended.error is not None:
            self._fault = ended.error if isinstance(ended.error, PersonMustAct) else self._fault
            self.part.failed(ended.error)
        elif ended.status is OrderStatus.DONE:
            self._fault = None
            self._is_well()
            if decision.act is Act.QUEUE:
                self.upcoming = decision.track
            elif decision.act in {Act.PLAY, Act.SKIP}:
                self.upcoming = None
        self._due_s = now_s

    def seen(self, seen: PlaybackSeen, now_s: float, *, somebody: bool) -> bool:
        """Take a look's answer; return whether an act had waited for it and was done now. ``somebody``: whether anybody is here."""
        next_s = self._poll_s if seen.next_look_s is None else seen.next_look_s
        if not somebody and seen.playback is not None and not seen.playback.playing:
            next_s = max(next_s, SELDOM * self._poll_s)
        self.unanswered = seen.error is not None
        if seen.error is not None:
            self.part.failed(seen.error)
            self._due_s = now_s + max(next_s, seen.error.retry_after_s or 0)
        else:
            self._due_s = now_s + next_s
            self.playback, self.playback_s = seen.playback, now_s
            self._take(seen.notices)
            if isinstance(self._fault, SpeakerNotFound) and self._there(seen.playback):
                self._fault = None
            if self._fault is None:
                self._is_well()
            if seen.playback is not None and seen.playback.track is not None and self.upcoming is not None and seen.playback.track.uri == self.upcoming.uri:
                self.upcoming = None
        return self._act()

    def after_a_look(self, act: Callable[[], object], now_s: float) -> None:
        """Do something once the speaker was looked at, whether that works or not; without the look where it takes too long."""
        self._after_look.append(act)
        self._act_by_s = min(self._act_by_s, now_s + LOOK_WAIT_S)
        self._dj.look(first=True)

    def look_at(self, due_s: float) -> None:
        """Look no later than at a moment on the clock of the frames."""
        self._due_s = min(self._due_s, due_s)

    def tick(self, now_s: float) -> None:
        """Look where that is due."""
        if now_s >= self._due_s:
            # The answer says when to look next; until it comes, once is enough.
            self._due_s = now_s + self._poll_s
            self._dj.look()
        if now_s >= self._act_by_s:
            self.unanswered = True
            self._act()

    def _act(self) -> bool:
        waiting, self._after_look, self._act_by_s = self._after_look, [], float("inf")
        for act in waiting:
            act()
        return bool(waiting)

    def _there(self, playback: Playback | None) -> bool:
        """Whether the speaker that could not be found is the one that is seen now."""
        return playback is not None and playback.speaker is not None and (self._speaker is None or same_speaker(playback.speaker.name, self._speaker))

    def _take(self, notices: tuple[str, ...]) -> None:
        for notice in notices:
            if notice not in self._notices:
                log.warning("%s", notice)
        self._notices = notices

    def _is_well(self) -> None:
        self.part.becomes(State.OK, ". ".join((self._description, *self._notices)))
