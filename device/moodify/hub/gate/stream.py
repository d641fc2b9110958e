"""Where packets begin and end in the bytes that pass, without keeping them; and what a device may subscribe to and have retained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.cloud.topics import PREFIX, STATE_BYTES, STATES
from moodify.hub.gate.packets import CONNECT, HEADER_AT_MOST, PUBLISH, SUBSCRIBE, Malformed, read_header, read_subscribe
from moodify.hub.gate.refusals import Refusal, Refused

if TYPE_CHECKING:
    from moodify.hub.gate.packets import Header

#: Longest SUBSCRIBE, in bytes: it is held back until it is whole.
SUBSCRIBE_AT_MOST = 4096
#: Longest topic that a device has a right to, in bytes, with room: of a longer one nothing need be known.
TOPIC_AT_MOST = 256
#: What goes around a state's payload, in bytes: topic and properties.
_AROUND = 1024
_KIND, _RETAIN = 0xF0, 0x01


class Stream:
    """Follows the packets of one direction."""

    __slots__ = ("_held", "_left", "_packet_at_most")

    def __init__(self, packet_at_most: int) -> None:
        """Take the size of the largest packet, in bytes."""
        self._packet_at_most = packet_at_most
        self._held = b""
        self._left = 0

    @property
    def between(self) -> bool:
        """Whether what was passed on ends with a whole packet."""
        return self._left == 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes and return those that may pass now.

        Raises:
            Refused: what comes is no packet, too large, or not allowed.
        """
        if len(data) <= self._left:
            self._left -= len(data)
            return data
        if self._held:
            data = self._held + data
        at, self._left = self._left, 0
        while at < len(data):
            try:
                header = read_header(data[at : at + HEADER_AT_MOST])
            except Malformed as error:
                raise Refused(Refusal.MALFORMED) from error
            if header is None:
                break
            if header.size > self._packet_at_most:
                raise Refused(Refusal.TOO_LARGE)
            if len(data) - at < self._needed(header, data, at):
                break
            self._check(header, data, at)
            at += header.size
        if at > len(data):
            self._left, at = at - len(data), len(data)
        self._held = data[at:]
        return data[:at] if self._held else data

    def _needed(self, header: Header, data: bytes, at: int) -> int:  # noqa: ARG002 - a device's stream looks at them
        """Return how much of a packet that begins at ``at`` must have come before any of it passes, in bytes."""
        return 0

    def _check(self, header: Header, data: bytes, at: int) -> None:
        """Look at a packet that begins at ``at``, of which as much has come as is needed."""


class DeviceStream(Stream):
    """What a device says after its CONNECT.

    mosquitto lets anybody subscribe to anything and looks at the right to read only when it delivers. So a device that joined
    the collectors' shared subscription would be dealt messages of others, which then reached nobody. Here it may subscribe below its own ``down/`` alone.
    What is retained stays in mosquitto's memory, which all share: a device has its few states there, of limited size, and nothing else.
    """

    __slots__ = ("_own", "_states")

    def __init__(self, device: str, packet_at_most: int) -> None:
        """Take the device's id."""
        super().__init__(packet_at_most)
        self._own = f"{PREFIX}/{device}/down/"
        self._states = frozenset(f"{PREFIX}/{device}/up/{state}".encode() for state in STATES)

    def _needed(self, header: Header, data: bytes, at: int) -> int:
        if header.first == SUBSCRIBE:
            if header.size > SUBSCRIBE_AT_MOST:
                raise Refused(Refusal.TOO_LARGE)
            return header.size
        if header.first & _KIND == PUBLISH:
            # 3.3.2.1: the topic's length, two bytes, then the topic.
            length = int.from_bytes(data[at + header.body : at + header.body + 2])
            return min(header.size, header.body + 2 + min(length, TOPIC_AT_MOST))
        return 0

    def _check(self, header: Header, data: bytes, at: int) -> None:
        kind = header.first & _KIND
        if kind == CONNECT:
            raise Refused(Refusal.PROTOCOL)
        if kind == PUBLISH:
            self._check_publish(header, data, at + header.body)
        if kind == SUBSCRIBE & _KIND:
            try:
                filters = read_subscribe(data[at : at + header.size])
            except Malformed as error:
                raise Refused(Refusal.MALFORMED) from error
            if not all(one.startswith(self._own) for one in filters):
                raise Refused(Refusal.FOREIGN_TOPIC)

    def _check_publish(self, header: Header, data: bytes, at: int) -> None:
        topic = data[at + 2 : at + 2 + int.from_bytes(data[at : at + 2])]
        if topic in self._states:
            if header.size > STATE_BYTES + _AROUND:
                raise Refused(Refusal.TOO_LARGE)
        elif header.first & _RETAIN:
            raise Refused(Refusal.RETAINED)
