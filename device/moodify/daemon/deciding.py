"""Asks the policy, and gives the orders that follow: from what happened by itself, from a press, and from afar."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from moodify.daemon.signals import Order
from moodify.music.situation import Ask, Situation
from moodify.types import Act

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, time

    from moodify.config.model import MusicGoal
    from moodify.daemon.dj import Dj
    from moodify.daemon.kept import Kept
    from moodify.daemon.override import Override
    from moodify.daemon.pending import Pending
    from moodify.daemon.room import Room
    from moodify.daemon.said import Said
    from moodify.daemon.songs import Songs
    from moodify.daemon.turntable import Turntable
    from moodify.music.policy import Policy
    from moodify.music.situation import Verdict
    from moodify.system.clock import Clock
    from moodify.types import Decision


class Decider:
    """What is known, put before the policy. Belongs to the conductor's thread."""

    def __init__(self, clock: Clock, policy: Policy, dj: Dj, *, songs: Songs, room: Room, table: Turntable, override: Override, pending: Pending, said: Said, kept: Kept) -> None:
        """Take who decides, who carries out, and what a situation is made of."""
        self._clock = clock
        self._policy = policy
        self._dj = dj
        self._songs = songs
        self._room = room
        self._table = table
        self._override = override
        self._pending = pending
        self._said = said
        self._kept = kept
        self._wake_s: float | None = None

    def adopt(self, policy: Policy, songs: Songs, table: Turntable) -> None:
        """Ask another policy from now on, for another speaker."""
        self._policy, self._songs, self._table, self._wake_s = policy, songs, table, None

    def decide(self, ask: Ask | None = None, *, songs_found: bool = False) -> Decision:
        """Ask the policy, give the order where there is one, and return what was decided."""
        now_s = self._clock.now_s()
        plays_mood = ask in {Ask.LOOK, Ask.MOOD_FROM_AFAR}
        awaited = self._songs.want(self.situation(), asked=plays_mood and not songs_found)
        self.poll_where_due(now_s)
        verdict = self._policy.decide(self.situation(ask))
        self._wake_s = verdict.wake_s
        if ask is not None and plays_mood and awaited is not None and verdict.decision.act is Act.KEEP:
            self._pending.songs(ask, awaited, now_s)
        self._carry_out(verdict, answer=ask is not None)
        return verdict.decision

    def answer(self, ask: Ask | None) -> None:
        """Ask the policy after a look at the room, with what that look was asked for."""
        if ask is None:
            self.decide()
        else:
            self.with_fresh_look(lambda: self.decide(ask), ask)

    def with_fresh_look(self, act: Callable[[], object], ask: Ask = Ask.PAUSE) -> None:
        """Do what depends on what plays: now, or after a look at the speaker where the last one is too old to tell."""
        if self._policy.needs_fresh_look(ask, self.situation()):
            self._table.after_a_look(act, self._clock.now_s())
        else:
            act()

    def pause_or_resume(self, *, pause: bool) -> str | None:
        """Do which of the two was said, where a press would do the other one of what is; return why that can't be."""
        playing = self._policy.playing(self.situation())
        if playing is None and not pause:
            return "It is not known what the speaker plays: try again in a moment"
        if pause is (playing is not False):
            self.decide(Ask.PAUSE)
        return None

    def order_volume(self, percent: int) -> tuple[Decision, str | None]:
        """Order a volume that was asked for; return what was decided, and the order's id, None where it can't be."""
        verdict = self._policy.volume(self.situation(), percent)
        return verdict.decision, self._carry_out(verdict, answer=True)

    def want_goal(self, goal: MusicGoal | None) -> MusicGoal:
        """Take what music is for until the next start, None as the configuration says; return what it is for now."""
        self._policy.want_goal(goal)
        self.decide()
        return self.goal

    @property
    def goal(self) -> MusicGoal:
        """What music is for now."""
        return self._policy.goal(self._local_time())

    def poll_where_due(self, now_s: float) -> None:
        """Where the policy wanted to be asked again by now, look at the speaker: what it does is what the answer rests on."""
        if self._wake_s is not None and now_s >= self._wake_s:
            self._wake_s = None
            self._table.look_at(now_s)

    def situation(self, ask: Ask | None = None) -> Situation:
        """Return what a decision rests on now."""
        return Situation(
            now_s=self._clock.now_s(),
            local_time=self._local_time(),
            at=self._trusted_date(),
            clock_doubted=not self._kept.clock_trusted,
            reading=self._override.reading(self._room.reading, self._room.people),
            people=self._room.people,
            playback=self._table.playback,
            playback_s=self._table.playback_s,
            playback_unsure=self._table.unanswered,
            ask=ask,
        )

    def _carry_out(self, verdict: Verdict, *, answer: bool) -> str | None:
        """Give the order, and say why, where that is news; return its id, None where there is nothing to do. ``answer``: to somebody who asked."""
        if verdict.decision.act is Act.KEEP:
            if not verdict.passing:
                self._said.note(verdict.decision, answer=answer)
            return None
        order = Order(str(uuid.uuid4()), verdict.decision, asked=verdict.asked)
        self._said.note(verdict.decision, order.id)
        self._dj.order(order)
        return order.id

    def _local_time(self) -> time:
        return self._clock.utc().astimezone().time()

    def _trusted_date(self) -> datetime | None:
        """Return the date, for what is learned; None while the clock can't be trusted."""
        return self._clock.utc() if self._kept.clock_trusted else None
