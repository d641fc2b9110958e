"""What the speaker did not take: when it is tried again, when it is given up, and what a person is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moodify.errors import PersonMustAct, RetryLater
from moodify.music import hours
from moodify.music.situation import Ask
from moodify.music.words import message
from moodify.types import Act, OrderStatus

if TYPE_CHECKING:
    from moodify.errors import MoodifyError
    from moodify.music.desk import Desk
    from moodify.music.orders import Order
    from moodify.music.situation import Situation, Verdict

#: An order that failed is tried again after so many seconds, where the service did not say when; one that fails again and again
#: unasked more and more seldom.
RETRY_S, RETRY_MAX_S = 30.0, 600.0

#: One that a person asked for is repeated sooner, then when the press is twice as long ago, and not when it is longer ago than they
#: would still expect it.
ASKED_RETRY_S = 5.0
ASKED_FRESH_S = 60.0

_NEVER_S = float("-inf")


class Setbacks:
    """Orders that failed, and presses that wait for the service."""

    def __init__(self, desk: Desk) -> None:
        """Nothing has failed yet."""
        self._desk = desk
        self._retry_s = _NEVER_S
        self._failures = 0
        """Orders that failed unasked, one after another."""
        self._shut_s: float | None = None
        """Until when the service refuses what a person asked for, where it said so."""
        self._error: MoodifyError | None = None
        self._going_on = False
        """Whether what failed last was to go on unasked after a pause."""
        self._repeat: tuple[Order, float] | None = None
        """What a person asked for and the speaker did not take, and when it is asked again."""
        self._skips: list[Order] = []
        """Presses of next whose order was dropped for that of the next press: each was meant."""
        self._lost: str | None = None
        """What to say until the retry of a person's order that will not be repeated."""

    def pressed(self, ask: Ask) -> None:
        """Forget what was asked for before: a new press takes its place; but each press of next skips a song."""
        self._repeat = self._lost = self._shut_s = None
        if ask is not Ask.NEXT:
            self._skips.clear()

    def ended(self, order: Order, status: OrderStatus, now_s: float, *, retry_after_s: float | None, error: MoodifyError | None) -> None:
        """Take note how an order ended."""
        memory, newer = self._desk.memory, self._desk.orders
        if status is OrderStatus.DONE:
            memory.carried_out(order, now_s)
            self._retry_s, self._failures = _NEVER_S, 0
            return
        if order.decision.act is Act.VOLUME and order.asked:
            # Who asked is told, and may ask again.
            return
        if order.decision.act is Act.VOLUME:
            memory.too_loud = not isinstance(error, PersonMustAct)
        if status is OrderStatus.DROPPED:
            if order.decision.act is Act.SKIP and any(other.decision.act is Act.SKIP for other in newer):
                self._skips.append(order)
            return
        if retry_after_s is None and (error is None or isinstance(error, RetryLater)):
            # A refusal says so; silence does not.
            memory.left_open(order)
        else:
            memory.refused(order)
        self._error = error
        self._going_on = order.decision.act is Act.RESUME and not order.asked
        self._retry_s = now_s + (RETRY_S if retry_after_s is None else retry_after_s)
        if not order.asked:
            self._retry_s = max(self._retry_s, now_s + min(RETRY_S * (2**self._failures - 1), RETRY_MAX_S))
            self._failures += 1
        if order.asked and not newer:
            wait_s = max(ASKED_RETRY_S, now_s - order.at_s) if retry_after_s is None else retry_after_s
            self._failed_asked(order, now_s + wait_s, said_when=retry_after_s is not None)

    def again(self, now: Situation) -> Verdict | None:
        """Return what is to be done or said before anything new is done unasked; None where nothing stands in its way."""
        self._skips = [order for order in self._skips if now.now_s - order.at_s <= ASKED_FRESH_S]
        if self._skips:
            return self._desk.put(_anew(self._skips.pop()))
        if self._repeat is not None:
            again = self._asked_again(now)
            if again is not None:
                return again
        if now.now_s < self._retry_s:
            return self._desk.keep(now, self._waits(now), self._retry_s)
        self._lost = self._shut_s = None
        return None

    def _waits(self, now: Situation) -> str:
        if self._shut_s is not None:
            return f"Spotify takes no orders until {hours.clock(now.local_time, self._shut_s - now.now_s)}: press again then, or use the Spotify app"
        if self._lost is not None:
            return self._lost
        if self._going_on and self._desk.memory.paused_s is None and self._desk.playing(now) is False:
            return "The speaker did not go on in time, so it stays silent: press the button for music"
        said = message(self._error or "The speaker did not take the last order")
        return said if "again" in said else f"{said}: trying again by itself"

    def _failed_asked(self, order: Order, again_s: float, *, said_when: bool) -> None:
        may_help = self._error is None or isinstance(self._error, RetryLater)
        if may_help and again_s - order.at_s <= ASKED_FRESH_S:
            self._repeat = order, again_s
        elif may_help and said_when:
            self._shut_s = again_s
        else:
            self._lost = f"The speaker did not take it ({message(self._error or 'no reason given')}): press again"

    def _asked_again(self, now: Situation) -> Verdict | None:
        """Return a person's order anew while they still expect it."""
        if self._repeat is None:
            return None
        order, again_s = self._repeat
        if now.playback is not None and now.playback.playing and now.uri != order.while_uri and now.playback_s > order.at_s:
            # It was carried out all the same, or somebody has chosen by other means.
            self._repeat = None
            self._retry_s = _NEVER_S
            if order.decision.track is not None and order.decision.track.uri in {now.uri, now.playback.context_uri}:
                self._desk.memory.carried_out(order, now.now_s)
            return None
        if now.now_s < again_s:
            until = hours.clock(now.local_time, order.at_s + ASKED_FRESH_S - now.now_s)
            said = message(self._error or "The speaker did not take it")
            return self._desk.keep(now, f"{said}: press again, or it is tried until {until}", again_s)
        self._repeat = None
        if now.now_s - order.at_s > ASKED_FRESH_S:
            self._lost = "The speaker did not take it in time: press again"
            return None
        return self._desk.put(_anew(order))


def _anew(order: Order) -> Order:
    return replace(order, decision=replace(order.decision))
