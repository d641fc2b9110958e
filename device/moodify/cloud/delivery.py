"""How summaries leave the outbox: offered, perhaps again, and forgotten when they have arrived (docs/mqtt.md)."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from moodify.cloud import mqtt
from moodify.cloud.port import OFFERED_AT_MOST, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moodify.cloud.backoff import Backoff
    from moodify.cloud.port import Outbox
    from moodify.cloud.sender import Sender
    from moodify.types import OutboxMessage

logger = logging.getLogger(__name__)

#: After so many seconds without an acknowledgement of a hub one message is offered again, to see whether it is back.
SILENCE_S = 30.0
#: An acknowledgement of more ranges is not one.
RANGES_AT_MOST = 10_000


@dataclass(slots=True)
class Receipts:
    """What the outbox has still to be told; outlives the connection that brought it."""

    arrived: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Ranges by epoch."""
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    offered: tuple[str, int] = ("", 0)
    """Epoch and highest number that was ever offered: nothing above it can have arrived."""
    malformed: bool = False
    """Whether an acknowledgement that can't be read has been reported."""

    def settle(self, outbox: Outbox) -> None:
        """Tell the outbox, all in one; where that fails, it is told again the next time.

        Raises:
            StoreBusy, StoreError: from the outbox.
        """
        while self.arrived:
            epoch, ranges = next(iter(self.arrived.items()))
            outbox.delivered(epoch, merged(ranges))
            del self.arrived[epoch]
        while self.refused:
            outbox.refused(*self.refused[-1])
            self.refused.pop()


class Deliverer:
    """Offers the outbox over one connection. Belongs to the link's thread."""

    def __init__(self, sender: Sender, topic: str, delivery: Delivery, receipts: Receipts, backoff: Backoff, *, silence_s: float = SILENCE_S) -> None:
        """Begin with the oldest message of the outbox.

        Args:
            sender: sends on the connection.
            topic: where summaries go.
            delivery: when one counts as arrived.
            receipts: what the outbox will be told.
            backoff: before what the broker has no room or no right for is sent again.
            silence_s: seconds without a hub's acknowledgement after which it is asked for.
        """
        self.trouble: str | None = None
        """Why the broker takes no summaries, where that stays so until somebody acts."""
        self._sender = sender
        self._topic = topic
        self._delivery = delivery
        self._receipts = receipts
        self._backoff = backoff
        self._silence_s = silence_s
        self._open: dict[int, None] = {}
        """Offered, and not yet known to have arrived, in the order of offering."""
        self._flying: dict[int, int] = {}
        """Of these, what the broker has not acknowledged, with its size in bytes."""
        self._again: deque[int] = deque()
        """Of these, what is to be sent again."""
        self._last = 0
        self._pauses = 0
        self._resume_at_s = 0.0
        self._heard_s = time.monotonic()
        self._silent = False
        self._asked = 0

    @property
    def idle(self) -> bool:
        """Whether everything that was offered has arrived."""
        return not self._open

    def offer(self, outbox: Outbox) -> None:
        """Send what waits, as far as there is room.

        Raises:
            StoreBusy, StoreError: from the outbox.
        """
        now_s = time.monotonic()
        if now_s < self._resume_at_s:
            return
        self._ask_again(now_s)
        while self._sender.room > 0 and self._again:
            seq = self._again[0]
            message = next(iter(outbox.unsent(after=seq - 1, limit=1)), None)
            if message is not None and message.seq == seq:
                self._send(message)
            else:
                # It has gone meanwhile: it arrived, or the outbox had no more room for it.
                self._open.pop(seq, None)
            self._again.popleft()
        room = min(self._sender.room, OFFERED_AT_MOST - len(self._open))
        if room > 0:
            for message in outbox.unsent(after=self._last, limit=room):
                self._last = message.seq
                self._send(message)

    def heard(self, payload: bytes) -> None:
        """Take a hub's acknowledgement; one that can't be read is passed over."""
        try:
            epoch, ranges = read_ack(payload)
        except ValueError as error:
            if not self._receipts.malformed:
                self._receipts.malformed = True
                logger.warning("an acknowledgement of the hub is passed over, and others like it: %s", error)
            return
        mine, highest = self._receipts.offered
        if epoch != mine:
            return
        ranges = [(first, min(last, highest)) for first, last in ranges if first <= highest]
        if not ranges:
            return
        self._receipts.arrived.setdefault(epoch, []).extend(ranges)
        ranges = merged(ranges)
        self._open = {seq: None for seq in self._open if not _among(seq, ranges)}
        self._heard_s = time.monotonic()
        if self._silent:
            self._silent = False
            self._again = deque(seq for seq in self._open if seq not in self._flying)
        else:
            self._again = deque(seq for seq in self._again if seq in self._open)

    def too_large(self) -> None:
        """Set the largest message that is under way aside: the broker has cut the connection for its size without having said a limit."""
        if self._flying:
            seq = max(self._flying, key=self._flying.__getitem__)
            self._refuse(seq, f"its {self._flying[seq]} bytes are too large for the broker")

    def _ask_again(self, now_s: float) -> None:
        if not self._open or self._delivery is Delivery.BROKER:
            self._heard_s = now_s
        elif now_s - self._heard_s >= self._silence_s:
            # One in turn, and not all: a thousand devices would go on repeating themselves to a hub that is away. Not always the
            # same one either: a hub that can't store one message still tells of the next that it is there.
            self._heard_s = now_s
            self._silent = True
            waiting = [seq for seq in self._open if seq not in self._flying and seq not in self._again]
            if waiting:
                self._asked = min((seq for seq in waiting if seq > self._asked), default=min(waiting))
                self._again.append(self._asked)

    def _send(self, message: OutboxMessage) -> None:
        largest = self._sender.largest(self._topic)
        epoch, highest = self._receipts.offered
        self._receipts.offered = (message.epoch, max(message.seq, highest if epoch == message.epoch else 0))
        self._open[message.seq] = None
        if len(message.payload) > largest:
            self._refuse(message.seq, f"{len(message.payload)} bytes are more than the {largest} that fit")
            return
        self._flying[message.seq] = len(message.payload)
        self._sender.publish(self._topic, message.payload, partial(self._acked, message.seq))

    def _acked(self, seq: int, acked: mqtt.Acked) -> None:
        self._flying.pop(seq, None)
        if acked.code < mqtt.FAILURE:
            # Nobody listening (0x10) is taken too: the broker has done with it what it does.
            self._pauses = 0
            self.trouble = None
            if self._delivery is Delivery.BROKER:
                self._open.pop(seq, None)
                self._receipts.arrived.setdefault(self._receipts.offered[0], []).append((seq, seq))
        elif acked.code == mqtt.QUOTA_EXCEEDED:
            self._pause(seq)
        elif acked.code == mqtt.NOT_AUTHORIZED:
            # It is the topic that is refused, and with it every message: none of them is set aside for that.
            self.trouble = f"the broker takes no summaries of this device: {acked.reason.lower()}; let it write to {self._topic}"
            self._pause(seq)
        else:
            self._refuse(seq, acked.reason)

    def _pause(self, seq: int) -> None:
        if time.monotonic() >= self._resume_at_s:
            self._pauses += 1
            self._resume_at_s = time.monotonic() + self._backoff.delay_s(self._pauses)
        if seq in self._open:
            self._again.append(seq)

    def _refuse(self, seq: int, reason: str) -> None:
        logger.warning("summary %s is set aside: %s", seq, reason)
        self._flying.pop(seq, None)
        self._open.pop(seq, None)
        self._receipts.refused.append((self._receipts.offered[0], seq, reason))


def read_ack(payload: bytes) -> tuple[str, list[tuple[int, int]]]:
    """Return epoch and ranges, both ends included, of a hub's acknowledgement.

    Raises:
        ValueError: it is none of version 1.
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    match body:
        case {"v": 1, "epoch": str(epoch), "ranges": [*ranges]} if len(ranges) <= RANGES_AT_MOST:
            return epoch, [_range(entry) for entry in ranges]
    raise ValueError("no acknowledgement of version 1")


def _range(entry: object) -> tuple[int, int]:
    match entry:
        case [int(first), int(last)] if not isinstance(first, bool) and not isinstance(last, bool) and 1 <= first <= last:
            return first, last
    raise ValueError("a range is two whole numbers from 1, the first not above the last")


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges that do not touch, ascending, of the same numbers."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def _among(seq: int, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= seq <= last for first, last in ranges)
