"""Whose states mosquitto keeps, so that those of a device that was revoked or erased can be cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.cloud.topics import STATES
from moodify.hub.reading import read_topic

if TYPE_CHECKING:
    from moodify.cloud import mqtt
    from moodify.hub.members import Members


class Retained:
    """What was heard as retained over one connection. Belongs to one thread."""

    def __init__(self) -> None:
        """Begin without any."""
        self._topics: dict[str, set[str]] = {}

    def begin(self) -> None:
        """Forget all: the connection is new, and what is retained comes again."""
        self._topics.clear()

    def heard(self, message: mqtt.Received) -> None:
        """Take note of a message, if it is a state."""
        spoken = read_topic(message.topic)
        if spoken is None or spoken[1] not in STATES:
            return
        device, _ = spoken
        if message.payload:
            self._topics.setdefault(device, set()).add(message.topic)
        elif device in self._topics:
            self._topics[device].discard(message.topic)

    def of_others(self, members: Members) -> list[str]:
        """Return the topics of devices that are no members.

        Raises:
            StoreBusy, StoreError: from the members.
        """
        return [topic for device, topics in self._topics.items() if topics and device not in members for topic in sorted(topics)]
