"""What is said and heard on one connection, once the broker takes this device."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cloud import mqtt
from moodify.cloud.commands import Reply
from moodify.cloud.delivery import Deliverer, Receipts
from moodify.cloud.keychange import KeyChange
from moodify.cloud.outgoing import as_json
from moodify.cloud.port import LinkState, Publication
from moodify.cloud.restraint import Complaints
from moodify.cloud.sender import Sender
from moodify.cloud.subscriptions import Subscriptions
from moodify.cloud.topics import STATE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.cloud.backoff import Backoff
    from moodify.cloud.commands import CommandDesk
    from moodify.cloud.outgoing import Outgoing
    from moodify.cloud.port import Command, Companion, Delivery, Outbox, Rotation
    from moodify.cloud.topics import Topics

logger = logging.getLogger(__name__)

#: The farewell waits so many seconds for its PUBACK.
_FAREWELL_S = 1.0


@dataclass(slots=True)
class Lasting:
    """What outlives a connection, and who takes part in each."""

    topics: Topics
    boot: str
    """UUID of this start."""
    desk: CommandDesk
    outgoing: Outgoing
    on_command: Callable[[Command], None]
    rotation: Rotation | None
    guest: Companion | None
    backoff: Backoff
    timeout_s: float
    """Longest wait for CONNACK, SUBACK and PUBACK."""
    silence_s: float
    """Wait for a hub's acknowledgement, after which it is asked for."""
    receipts: Receipts = field(default_factory=Receipts)
    complaints: Complaints = field(default_factory=Complaints)

    def status(self, state: str) -> bytes:
        """Return the payload of a birth or a farewell."""
        return as_json({"state": state, "boot": self.boot, "ts": datetime.now(UTC).isoformat(timespec="seconds")})

    def will(self) -> tuple[str, bytes]:
        """Return topic and payload of the last will, whose time nobody knows in advance."""
        return self.topics.status, as_json({"state": "offline", "boot": self.boot})


class Conversation:
    """From CONNACK to the end of the connection. Belongs to the link's thread."""

    def __init__(self, connection: mqtt.Connection, connected: mqtt.Connected, lasting: Lasting, delivery: Delivery) -> None:
        """Begin: subscriptions, birth and all states are due."""
        self.closing = False
        """Whether nothing new is said any more."""
        self.key_changed = False
        """Whether the hub has taken a new key, with which to sign in."""
        self._connection = connection
        self._lasting = lasting
        self._sender = Sender(connection, connected)
        self._deliverer = Deliverer(self._sender, lasting.topics.events, delivery, lasting.receipts, lasting.backoff, silence_s=lasting.silence_s)
        self._keys = None if lasting.rotation is None else KeyChange(lasting.rotation, lasting.topics)
        self._unacknowledged: dict[str, tuple[str, bytes]] = {}
        """Answers that are on their way."""
        self._due: deque[Publication] = deque([Publication(lasting.topics.status, lasting.status("online"), retain=True)])
        topics = [lasting.topics.acks, lasting.topics.commands, *([] if self._keys is None else [lasting.topics.key_answers])]
        if lasting.guest is not None:
            topics += lasting.guest.topics
            lasting.guest.connected()
        self._subscriptions = Subscriptions(connection, topics, lasting.backoff, timeout_s=lasting.timeout_s)
        lasting.outgoing.all_states()

    @property
    def standing(self) -> tuple[LinkState, str]:
        """How the link stands while this lasts, and why, for a person."""
        refused = self._deliverer.trouble or self._subscriptions.refused
        if refused is not None:
            return LinkState.REFUSED, refused
        unanswered = self._subscriptions.unanswered
        return LinkState.ONLINE, "connected" if unanswered is None else f"connected, but the broker does not answer the subscription to {unanswered}"

    @property
    def waiting_s(self) -> float:
        """How long the oldest message has been waiting for its PUBACK, in seconds."""
        return self._sender.waiting_s

    @property
    def idle(self) -> bool:
        """Whether all that was said has arrived."""
        return self._sender.idle and self._deliverer.idle

    def speak(self, outbox: Outbox) -> None:
        """Say what is due, as far as there is room.

        Raises:
            StoreBusy, StoreError: from the outbox.
        """
        self._subscriptions.ask()
        if self.closing:
            return
        if self._keys is not None and (offer := self._keys.due(datetime.now(UTC))) is not None:
            self._due.append(offer)
        if self._lasting.guest is not None:
            self._due.extend(self._lasting.guest.due())
        while self._sender.room > 0 and self._say_next():
            pass
        self._deliverer.offer(outbox)

    def hear(self, signal: mqtt.Signal) -> None:
        """Take what the connection signals, but for its end.

        Raises:
            StoreBusy, StoreError: from the memory; the same signal may be given again.
        """
        match signal:
            case mqtt.Acked():
                self._sender.acked(signal)
            case mqtt.Subscribed() | mqtt.Refused():
                self._subscriptions.answered(signal)
            case mqtt.Received():
                self._received(signal)
                self._connection.ack(signal)

    def end(self, lost: mqtt.Lost | None) -> None:
        """Keep the answers that the broker may not have for the next connection, and set aside what it has cut this one for."""
        if lost is not None and lost.code == mqtt.PACKET_TOO_LARGE:
            self._deliverer.too_large()
        self._lasting.outgoing.answers.extendleft(reversed(self._unacknowledged.values()))
        self._unacknowledged.clear()

    def bid_farewell(self) -> None:
        """Say that this device leaves on purpose, and wait a moment for the PUBACK."""
        mid = self._connection.publish(self._lasting.topics.status, self._lasting.status("offline"), retain=True)
        until_s = time.monotonic() + _FAREWELL_S
        while (left_s := until_s - time.monotonic()) > 0:
            signals = self._connection.step(left_s)
            if any(isinstance(signal, mqtt.Lost) or (isinstance(signal, mqtt.Acked) and signal.mid == mid) for signal in signals):
                return

    def _say_next(self) -> bool:
        topics, outgoing = self._lasting.topics, self._lasting.outgoing
        if self._due:
            self._publish(self._due.popleft())
        elif (state := outgoing.next_state()) is not None:
            self._publish(Publication(topics.state(state[0]), state[1], retain=True))
        elif outgoing.answers:
            command_id, payload = answer = outgoing.answers.popleft()
            self._unacknowledged[command_id] = answer
            self._publish(Publication(topics.answer(command_id), payload), lambda: self._unacknowledged.pop(command_id, None))
        else:
            return False
        return True

    def _publish(self, publication: Publication, then: Callable[[], object] = lambda: None) -> None:
        topic, payload = publication.topic, publication.payload
        largest = min(self._sender.largest(topic), STATE_BYTES) if publication.retain else self._sender.largest(topic)
        if len(payload) > largest:
            logger.warning("%s is not sent: %s bytes are more than the %s that fit", topic, len(payload), largest)
            then()
            return

        def acked(signal: mqtt.Acked) -> None:
            if signal.code >= mqtt.FAILURE:
                logger.warning("the broker refuses %s: %s", topic, signal.reason)
            then()

        self._sender.publish(topic, payload, acked, retain=publication.retain)

    def _received(self, message: mqtt.Received) -> None:
        topics = self._lasting.topics
        name = topics.command_name(message.topic)
        if name is not None:
            self._command(name, message)
        elif message.topic == topics.acks:
            self._deliverer.heard(message.payload)
        elif message.topic == topics.key_answers and self._keys is not None:
            self.key_changed |= self._keys.heard(message.payload)
        elif self._lasting.guest is not None:
            self._lasting.guest.heard(message.topic, message.payload, retained=message.retained)

    def _command(self, name: str, message: mqtt.Received) -> None:
        taken = self._lasting.desk.take(name, message)
        if isinstance(taken, Reply):
            complaints = self._lasting.complaints
            if taken.refusal is not None and complaints.say(taken.refusal):
                quiet = complaints.quiet()
                logger.warning("a command was not carried out: %s%s", taken.refusal, f" (nor were {quiet} others, of which nothing was said)" if quiet else "")
            if taken.id is not None:
                self._lasting.outgoing.answers.append((taken.id, as_json(taken.body)))
        elif taken is not None:
            self._lasting.on_command(taken)
