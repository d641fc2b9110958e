"""What is under way on one connection: never more than there is room for, and each with its PUBACK."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from moodify.cloud import mqtt

if TYPE_CHECKING:
    from collections.abc import Callable

#: A message above this is not sent: no broker of ours takes it, and it must not be tried for ever.
MESSAGE_BYTES = 256 * 1024
#: Room that a packet needs beside topic and payload, in bytes.
_PACKET_OVERHEAD = 64


class Sender:
    """Publishes with QoS 1 on one connection. Belongs to the link's thread."""

    def __init__(self, connection: mqtt.Connection, connected: mqtt.Connected) -> None:
        """Take the connection and what the broker said when it took us."""
        self._connection = connection
        self._window = min(mqtt.IN_FLIGHT, connected.receive_maximum)
        self._largest = connected.maximum_packet
        self._flying: dict[int, tuple[float, Callable[[mqtt.Acked], None]]] = {}

    @property
    def room(self) -> int:
        """How many messages may be sent now."""
        return self._window - len(self._flying)

    @property
    def waiting_s(self) -> float:
        """How long the oldest message has been waiting for its PUBACK, in seconds."""
        now_s = time.monotonic()
        return now_s - min((since_s for since_s, _ in self._flying.values()), default=now_s)

    @property
    def idle(self) -> bool:
        """Whether the broker has acknowledged everything."""
        return not self._flying

    def largest(self, topic: str) -> int:
        """Return how many bytes a payload on ``topic`` may have."""
        return MESSAGE_BYTES if self._largest is None else min(MESSAGE_BYTES, self._largest - len(topic.encode()) - _PACKET_OVERHEAD)

    def publish(self, topic: str, payload: bytes, then: Callable[[mqtt.Acked], None], *, retain: bool = False) -> None:
        """Send a message, and call ``then`` with its PUBACK. There must be room, and it must fit."""
        self._flying[self._connection.publish(topic, payload, retain=retain)] = (time.monotonic(), then)

    def acked(self, signal: mqtt.Acked) -> None:
        """Take a PUBACK."""
        flying = self._flying.pop(signal.mid, None)
        if flying is not None:
            flying[1](signal)
