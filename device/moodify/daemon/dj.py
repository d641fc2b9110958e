"""The dj: carries orders out on the speaker, on a thread of its own.

Spotify may take seconds; the button must not wait for it. The dj holds at most one pending order, the
newest; looks at what plays and looks tracks up when it has nothing better to do.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from moodify.daemon.signals import CandidatesFound, Order, OrderEnded, PlaybackSeen
from moodify.errors import CannotWork, MoodifyError
from moodify.types import Act, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.signals import Signal
    from moodify.music.port import Player
    from moodify.music.song import Candidate
    from moodify.types import Mood

log = logging.getLogger(__name__)


class Dj:
    """One thread that alone talks to the :class:`~moodify.music.port.Player`."""

    def __init__(self, player: Player, put: Callable[[Signal], None], *, volume_cap: int) -> None:
        """Take the speaker, the conductor's queue and the loudest volume, in percent, at which music may be started."""
        self._player = player
        self._put = put
        self._volume_cap = volume_cap
        self._changed = threading.Condition()
        self._order: Order | None = None
        self._look = False
        self._lookups: dict[Mood, Callable[[Player], tuple[Candidate, ...]]] = {}
        self._busy = False
        self._closing = False

    def order(self, order: Order) -> None:
        """Carry an order out as soon as possible; a pending older one is dropped and said so."""
        with self._changed:
            dropped, self._order = self._order, order
            self._changed.notify_all()
        if dropped is not None:
            self._put(OrderEnded(dropped, OrderStatus.DROPPED, 0.0))

    def look(self) -> None:
        """Look at what plays."""
        with self._changed:
            self._look = True
            self._changed.notify_all()

    def look_up(self, mood: Mood, lookup: Callable[[Player], tuple[Candidate, ...]]) -> None:
        """Look tracks up for a mood; one that waits already is asked once."""
        with self._changed:
            self._lookups[mood] = lookup
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
        while (work := self._next()) is not None:
            try:
                self._put(work())
            finally:
                with self._changed:
                    self._busy = False

    def _has_work(self) -> bool:
        return self._order is not None or self._look or bool(self._lookups)

    def _next(self) -> Callable[[], Signal] | None:
        with self._changed:
            while not self._closing and not self._has_work():
                self._changed.wait()
            if self._closing:
                return None
            self._busy = True
            if (order := self._order) is not None:
                self._order = None
                return lambda: self._carry_out(order)
            if self._lookups:
                mood = next(iter(self._lookups))
                lookup = self._lookups.pop(mood)
                return lambda: self._found(mood, lookup)
            self._look = False
            return self._looked

    def _carry_out(self, order: Order) -> Signal:
        began_s = time.monotonic()
        try:
            self._act(order)
        except MoodifyError as error:
            log.info("The order to %s failed: %s", order.decision.act.value, error)
            return OrderEnded(order, OrderStatus.FAILED, time.monotonic() - began_s, error)
        return OrderEnded(order, OrderStatus.DONE, time.monotonic() - began_s)

    def _act(self, order: Order) -> None:
        decision = order.decision
        match decision.act:
            case Act.PLAY:
                uri = self._uri(order)
                known = self._lower()
                self._player.play(uri)
                if not known:
                    self._lower_late()
            case Act.QUEUE:
                self._player.queue(self._uri(order))
            case Act.PAUSE:
                self._player.pause()
            case Act.RESUME:
                self._player.resume()
            case Act.SKIP:
                self._player.skip()
            case Act.KEEP:
                raise CannotWork("to keep what plays is no order")

    def _lower(self) -> bool:
        """Bring the volume down to the cap; return whether the speaker said how loud it is."""
        speaker = self._player.playback().speaker
        if speaker is None:
            return False
        if speaker.supports_volume and (speaker.volume_percent or 0) > self._volume_cap:
            self._player.set_volume(self._volume_cap)
        return True

    def _lower_late(self) -> None:
        """Cap a speaker that says how loud it is only once it plays: one that slept, or that another app had not used."""
        try:
            self._lower()
        except MoodifyError as error:
            # The order itself is carried out.
            log.warning("The volume may be above the cap of %s %%: %s", self._volume_cap, error)

    @staticmethod
    def _uri(order: Order) -> str:
        if order.decision.track is None:
            raise CannotWork(f"an order to {order.decision.act.value} names no track")
        return order.decision.track.uri

    def _found(self, mood: Mood, lookup: Callable[[Player], tuple[Candidate, ...]]) -> Signal:
        try:
            return CandidatesFound(mood, lookup(self._player))
        except MoodifyError as error:
            return CandidatesFound(mood, (), error)

    def _looked(self) -> Signal:
        try:
            return PlaybackSeen(self._player.playback())
        except MoodifyError as error:
            return PlaybackSeen(None, error)
