"""What is under way on one connection, and what became of it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.cloud import mqtt

if TYPE_CHECKING:
    from moodify.cloud.backoff import Backoff
    from moodify.cloud.port import Outbox
    from moodify.cloud.topics import Topics

logger = logging.getLogger(__name__)

#: A message above this is set aside: no broker of ours takes it, and it must not be tried for ever.
MESSAGE_BYTES = 256 * 1024
#: Room that a packet needs beside topic and payload, in bytes.
_PACKET_OVERHEAD = 64
_QUOTA_EXCEEDED = 0x97


@dataclass(slots=True)
class Receipts:
    """What the outbox has still to be told; outlives the connection that brought it."""

    arrived: list[tuple[str, int]] = field(default_factory=list)
    refused: list[tuple[str, int, str]] = field(default_factory=list)

    def settle(self, outbox: Outbox) -> None:
        """Tell the outbox; where that fails, it is told again the next time.

        Raises:
            StoreBusy, StoreError: from the outbox.
        """
        for epoch in {epoch for epoch, _ in self.arrived}:
            outbox.delivered(epoch, [(seq, seq) for other, seq in self.arrived if other == epoch])
        self.arrived.clear()
        while self.refused:
            outbox.refused(*self.refused[-1])
            self.refused.pop()


@dataclass(frozen=True, slots=True)
class _Flying:
    """Sent and not yet acknowledged; without an epoch it is a status, a state or an answer."""

    since_s: float
    epoch: str | None = None
    seq: int = 0


class Sender:
    """Publishes on one connection, never more than it has room for. Belongs to the link's thread."""

    def __init__(self, connection: mqtt.Connection, connected: mqtt.Connected, topics: Topics, receipts: Receipts, backoff: Backoff) -> None:
        """Begin with the oldest message of the outbox."""
        self._connection = connection
        self._topics = topics
        self._receipts = receipts
        self._backoff = backoff
        self._window = min(mqtt.IN_FLIGHT, connected.receive_maximum)
        self._largest = min(MESSAGE_BYTES, (connected.maximum_packet or MESSAGE_BYTES) - len(topics.events) - _PACKET_OVERHEAD)
        self._flying: dict[int, _Flying] = {}
        self._offered = 0
        self._resume_at_s: float | None = None

    @property
    def room(self) -> int:
        """How many messages may be sent now."""
        return self._window - len(self._flying)

    @property
    def waiting_s(self) -> float:
        """How long the oldest message has been waiting for its PUBACK, in seconds."""
        return time.monotonic() - min((flying.since_s for flying in self._flying.values()), default=time.monotonic())

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a status, a state or an answer; there must be room."""
        self._flying[self._connection.publish(topic, payload, retain=retain)] = _Flying(time.monotonic())

    def offer(self, outbox: Outbox) -> None:
        """Send what waits in the outbox, as far as there is room."""
        if self.room <= 0 or not self._may_offer():
            return
        for message in outbox.unsent(after=self._offered, limit=self.room):
            self._offered = message.seq
            if len(message.payload) > self._largest:
                self._refuse(message.epoch, message.seq, f"{len(message.payload)} bytes are more than the {self._largest} that fit")
            else:
                mid = self._connection.publish(self._topics.events, message.payload)
                self._flying[mid] = _Flying(time.monotonic(), message.epoch, message.seq)

    def acked(self, signal: mqtt.Acked) -> None:
        """Take a PUBACK. Nobody listening (0x10) is delivered too: the broker has it."""
        flying = self._flying.pop(signal.mid, None)
        if flying is None:
            return
        if flying.epoch is None:
            if signal.code >= mqtt.FAILURE:
                logger.warning("the broker refuses a state or an answer: %s", signal.reason)
        elif signal.code < mqtt.FAILURE:
            self._receipts.arrived.append((flying.epoch, flying.seq))
        elif signal.code == _QUOTA_EXCEEDED:
            self._resume_at_s = time.monotonic() + self._backoff.delay_s(1)
        else:
            self._refuse(flying.epoch, flying.seq, signal.reason)

    def _refuse(self, epoch: str, seq: int, reason: str) -> None:
        logger.warning("summary %s is set aside: %s", seq, reason)
        self._receipts.refused.append((epoch, seq, reason))

    def _may_offer(self) -> bool:
        if self._resume_at_s is None:
            return True
        if time.monotonic() < self._resume_at_s or any(flying.epoch is not None for flying in self._flying.values()):
            return False
        # What the broker had no room for is below what was offered last: begin again with the oldest.
        self._resume_at_s = None
        self._offered = 0
        return True
