"""What has come from devices and is not acknowledged yet, sorted by what is to be done with it."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from moodify.cloud.topics import STATES
from moodify.hub.reading import Unreadable, read_answer, read_erasure, read_offer, read_state, read_summary, read_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.cloud import mqtt
    from moodify.hub.line import Line
    from moodify.hub.members import Members
    from moodify.hub.metrics import Metrics
    from moodify.hub.port import Summary
    from moodify.hub.reading import Answer, Erasure, KeyOffer

logger = logging.getLogger(__name__)

#: So many complaints are remembered, so that each is said once.
_COMPLAINTS: Final = 1000

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Held(Generic[Said]):
    """A message that is not acknowledged yet, and what it says."""

    message: mqtt.Received
    generation: int
    """Of the connection that brought it."""
    kind: str
    device: str
    name: str
    """Of a state; the command's id of an answer."""
    said: Said


class Inbox:
    """Reads messages and holds them until they are done. Belongs to the collector's thread."""

    def __init__(self, line: Line, metrics: Metrics) -> None:
        """Take where messages are acknowledged, and where they are counted."""
        self.summaries: deque[Held[Summary]] = deque()
        self.answers: deque[Held[Answer]] = deque()
        self.offers: deque[Held[KeyOffer]] = deque()
        self.erasures: deque[Held[Erasure]] = deque()
        self.states: deque[Held[Mapping[str, Any]]] = deque()
        self.bytes = 0
        """Size of what is held."""
        self.since_s = 0.0
        """When the first of what is held came, on ``time.monotonic()``."""
        self._all: tuple[deque[Any], ...] = (self.summaries, self.answers, self.offers, self.erasures, self.states)
        self._line = line
        self._metrics = metrics
        self._complaints: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        """Count what is held."""
        return sum(map(len, self._all))

    def take(self, message: mqtt.Received) -> None:
        """Hold a message; what can't be read is counted, said once, acknowledged and forgotten."""
        spoken = read_topic(message.topic)
        if spoken is None:
            self._pass_over(message, "other", message.topic[:80], "topic of a device")
            return
        device, rest = spoken
        kind, _, name = f"state/{rest}".partition("/") if rest in STATES else rest.partition("/")
        hold = partial(Held, message, self._line.generation, kind, device, name)
        if kind == "state" and not message.payload:
            # What was retained was cleared, by the device or by the hub itself.
            self._metrics.messages.labels(kind, "cleared").inc()
            self._line.ack(message, self._line.generation)
            return
        first = not len(self)
        try:
            match kind:
                case "ev":
                    self.summaries.append(hold(read_summary(device, message.payload)))
                case "res":
                    self.answers.append(hold(read_answer(device, name, message.payload)))
                case "key":
                    self.offers.append(hold(read_offer(device, message.payload)))
                case "erase":
                    self.erasures.append(hold(read_erasure(device, message.payload)))
                case _:
                    self.states.append(hold(read_state(device, message.payload)))
        except Unreadable as error:
            self._pass_over(message, kind, device, error.reason)
            return
        if first:
            self.since_s = time.monotonic()
        self.bytes += len(message.payload)

    def keep_only(self, members: Members) -> None:
        """Acknowledge and forget what others than ``members`` say.

        Raises:
            StoreBusy, StoreError: from the members; nothing was forgotten but what is sure.
        """
        for held in self._all:
            for one in [one for one in held if one.device not in members]:
                held.remove(one)
                self._forget(one, "unknown device")

    def done(self, held: deque[Held[Said]]) -> None:
        """Acknowledge and forget the first of one kind: it was taken."""
        self._forget(held.popleft(), "taken")

    def leave(self, one: Held[Summary]) -> None:
        """Acknowledge and forget a summary that is not taken now: the device offers it again."""
        self.summaries.remove(one)
        self._forget(one, "over budget")

    def _forget(self, held: Held[Said], outcome: str) -> None:
        self.bytes -= len(held.message.payload)
        self._metrics.messages.labels(held.kind, outcome).inc()
        self._line.ack(held.message, held.generation)

    def _pass_over(self, message: mqtt.Received, kind: str, whose: str, reason: str) -> None:
        # It comes again for as long as the device has it: said once, and in the way of nothing else.
        self._metrics.messages.labels(kind, "unreadable").inc()
        if (whose, reason) not in self._complaints:
            self._complaints[whose, reason] = None
            if len(self._complaints) > _COMPLAINTS:
                self._complaints.popitem(last=False)
            logger.warning("%s sent what is no %s: it is passed over, this and others like it", whose, reason)
        self._line.ack(message, self._line.generation)
