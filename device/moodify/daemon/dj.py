"""The dj: carries orders out on the speaker, on a thread of its own.

Spotify may take seconds; the button must not wait for it. The dj holds at most one pending order, the
newest; looks at what plays and looks tracks up when it has nothing better to do.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from moodify.daemon.polite import OrderWaitsError, Polite
from moodify.daemon.signals import CandidatesFound, Order, OrderEnded, PlaybackSeen
from moodify.errors import CannotWork, MoodifyError
from moodify.music.fading import RAMP_S, Fader
from moodify.music.starting import start_below
from moodify.types import Act, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from moodify.daemon.signals import Signal
    from moodify.music.candidates import Wanted
    from moodify.music.notes import Notes
    from moodify.music.port import Player, Requests, Shelves
    from moodify.music.song import Candidate
    from moodify.types import Mood

    Lookup = Callable[[Shelves], tuple[Candidate, ...]]
    Told = OrderEnded | CandidatesFound | PlaybackSeen

log = logging.getLogger(__name__)

#: Whoever asks for a volume waits for it, so it comes sooner than what the hours bring; still not at one stroke.
ASKED_RAMP_S = 1.0


class Dj:
    """One thread that alone talks to the :class:`~moodify.music.port.Player`."""

    def __init__(self, player: Player, put: Callable[[Signal], None], *, poll_s: float, speaker: str | None = None, kept: Notes | None = None) -> None:
        """Take the speaker and the conductor's queue.

        Args:
            player: the speaker.
            put: puts a signal on the conductor's queue.
            poll_s: seconds between two looks where nothing else says when.
            speaker: name of the player's speaker, where it has one: the volume of another one is left alone.
            kept: where the volume that a fade owes outlasts a restart, used by this thread alone once it runs; None keeps it in memory.
        """
        self._player = player
        self._put = put
        self._poll_s = poll_s
        self._speaker = speaker
        self._fader = Fader(player, self._interrupted_within, speaker=speaker, kept=kept)
        self._changed = threading.Condition()
        self._order: Order | None = None
        self._look = self._look_first = False
        self._lookups: dict[Mood, tuple[Lookup, bool, Wanted | None]] = {}
        self._busy = False
        self._closing = False
        self._changes: list[Callable[[], None]] = []
        self._players = 0

    @property
    def players(self) -> int:
        """How many players it had before the one that it has, or is about to have: what an earlier one did says nothing of it."""
        return self._players

    def change(self, player: Player, *, speaker: str | None, kept: Notes | None, done: Callable[[], None]) -> None:
        """Take another player once the call that is under way has ended; what was pending for the last one is dropped.

        Args:
            player: the other one.
            speaker: as at construction.
            kept: as at construction.
            done: called once the last one is not used any more, on this thread's run.
        """

        def take() -> None:
            self._player, self._speaker = player, speaker
            self._fader = Fader(player, self._interrupted_within, speaker=speaker, kept=kept)
            done()

        with self._changed:
            dropped, self._order = self._order, None
            self._look = self._look_first = False
            self._lookups.clear()
            self._changes.append(take)
            before, self._players = self._players, self._players + 1
            self._changed.notify_all()
        if dropped is not None:
            self._put(OrderEnded(dropped, OrderStatus.DROPPED, 0.0, player=before))

    def requests(self) -> Requests:
        """Return what was sent to the speaker's service within the last hour; from any thread."""
        return self._player.requests()

    def order(self, order: Order) -> None:
        """Carry an order out as soon as possible; a pending older one is dropped and said so."""
        with self._changed:
            dropped, self._order = self._order, order
            self._changed.notify_all()
        if dropped is not None:
            self._put(OrderEnded(dropped, OrderStatus.DROPPED, 0.0, player=self._players))

    def look(self, *, first: bool = False) -> None:
        """Look at what plays; ``first``: before songs are looked up, for a press waits for it."""
        with self._changed:
            self._look = True
            self._look_first = self._look_first or first
            self._changed.notify_all()

    def look_up(self, mood: Mood, lookup: Lookup, *, asked: bool = False, of: Wanted | None = None) -> None:
        """Look songs up for a mood, ``asked`` for by a person or not; one that waits already is asked once. ``of``: what is looked up, for who is told."""
        with self._changed:
            self._lookups[mood] = lookup, asked, of
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nothing is pending or under way; what it found is on the queue by then."""
        with self._changed:
            return not self._busy and not self._has_work()

    def close(self) -> None:
        """End the thread after the call that is under way."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def run(self) -> None:
        """Work until closed; the thread's target."""
        while (due := self._next()) is not None:
            work, player = due
            try:
                signal = work()
                if signal is not None:
                    self._put(replace(signal, player=player))
            finally:
                with self._changed:
                    self._busy = False

    def _has_work(self) -> bool:
        return self._order is not None or self._look or bool(self._lookups) or bool(self._changes)

    def _next(self) -> tuple[Callable[[], Told | None], int] | None:
        """Return what to do, and the number of the player that it is for."""
        with self._changed:
            while not self._closing and not self._has_work():
                self._changed.wait()
            if self._closing:
                return None
            self._busy = True
            return self._pop(), self._players

    def _pop(self) -> Callable[[], Told | None]:
        if self._changes:
            # All at once: what comes after is for the newest.
            changes, self._changes = self._changes, []
            return lambda: self._change_player(changes)
        if (order := self._order) is not None:
            self._order = None
            return lambda: self._carry_out(order)
        if self._lookups and not self._look_first:
            mood = next(iter(self._lookups))
            lookup, asked, of = self._lookups.pop(mood)
            return lambda: self._found(mood, lookup, asked=asked, of=of)
        self._look = self._look_first = False
        return self._looked

    @staticmethod
    def _change_player(changes: list[Callable[[], None]]) -> None:
        for take in changes:
            take()

    def _interrupted_within(self, seconds: float) -> bool:
        """Wait so many seconds; return True at once when a newer order has come, or the end."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closing or self._order is not None or bool(self._changes), timeout=seconds)

    def _for_whom(self, *, asked: bool) -> AbstractContextManager[None]:
        """What a person asks for is no part of what may be spent unasked."""
        return self._player.asked() if asked else nullcontext()

    def _carry_out(self, order: Order) -> OrderEnded:
        began_s = time.monotonic()
        try:
            with self._for_whom(asked=order.asked), self._player.ordering():
                done = self._act(order)
        except MoodifyError as error:
            log.info("The order to %s failed: %s", order.decision.act.value, error)
            return OrderEnded(order, OrderStatus.FAILED, time.monotonic() - began_s, error)
        return OrderEnded(order, OrderStatus.DONE if done else OrderStatus.DROPPED, time.monotonic() - began_s)

    def _act(self, order: Order) -> bool:
        """Do it; return False where a newer order came between."""
        decision = order.decision
        match decision.act:
            case Act.PLAY:
                uri = self._uri(order)
                self._start(lambda: self._player.play(uri), decision.volume_percent)
            case Act.RESUME:
                self._start(self._player.resume, decision.volume_percent)
            case Act.QUEUE:
                self._player.queue(self._uri(order))
            case Act.PAUSE:
                return self._fader.pause(decision.fade_s)
            case Act.SKIP:
                self._player.skip()
            case Act.VOLUME:
                if decision.volume_percent is None:
                    raise CannotWork("an order to change the volume names none")
                return self._fader.fade_to(decision.volume_percent, ASKED_RAMP_S if order.asked else RAMP_S)
            case Act.KEEP:
                raise CannotWork("to keep what plays is no order")
        return True

    def _start(self, start: Callable[[], None], cap: int | None) -> None:
        """Start music no louder than ``cap``, in percent; at the volume from before a fade."""
        most = 100 if cap is None else cap
        self._fader.settle(most=most)
        start_below(self._player, start, most, speaker=self._speaker)
        self._fader.settle(most=most)

    @staticmethod
    def _uri(order: Order) -> str:
        if order.decision.track is None:
            raise CannotWork(f"an order to {order.decision.act.value} names no track")
        return order.decision.track.uri

    def _found(self, mood: Mood, lookup: Lookup, *, asked: bool, of: Wanted | None) -> CandidatesFound | None:
        """Look up; None where an order came between: it is looked up again after that, and finds in its cache what was answered."""
        try:
            with self._for_whom(asked=asked):
                return CandidatesFound(mood, lookup(Polite(self._player, self._order_waits)), of=of)
        except OrderWaitsError:
            with self._changed:
                if not self._changes:
                    self._lookups.setdefault(mood, (lookup, asked, of))
            return None
        except MoodifyError as error:
            return CandidatesFound(mood, (), error, of=of)

    def _order_waits(self) -> bool:
        with self._changed:
            return self._order is not None or self._look_first or self._closing or bool(self._changes)

    def _looked(self) -> PlaybackSeen:
        try:
            playback = self._player.playback()
        except MoodifyError as error:
            return PlaybackSeen(None, error, next_look_s=self._player.next_poll_s(self._poll_s))
        remaining_s = (playback.track.duration_ms - playback.progress_ms) / 1000 if playback.playing and playback.track is not None else None
        return PlaybackSeen(playback, None, self._player.notices(), self._player.next_poll_s(self._poll_s, remaining_s))
