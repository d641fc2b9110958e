"""Where packets begin and end in the bytes that pass, without keeping them; and what a device may subscribe to."""

from __future__ import annotations

from moodify.cloud.topics import PREFIX
from moodify.hub.gate.packets import CONNECT, HEADER_AT_MOST, SUBSCRIBE, Malformed, read_header, read_subscribe
from moodify.hub.gate.refusals import Refusal, Refused

#: Longest SUBSCRIBE, in bytes: it is held back until it is whole.
SUBSCRIBE_AT_MOST = 4096


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
            if self._holds_back(header.first, header.size) and len(data) - at < header.size:
                break
            self._check(header.first, data, at, header.size)
            at += header.size
        if at > len(data):
            self._left, at = at - len(data), len(data)
        self._held = data[at:]
        return data[:at] if self._held else data

    def _holds_back(self, first: int, size: int) -> bool:  # noqa: ARG002 - a device's stream looks at them
        return False

    def _check(self, first: int, data: bytes, at: int, size: int) -> None:
        """Look at a packet that begins at ``at``; whole, if it was held back."""


class DeviceStream(Stream):
    """What a device says after its CONNECT.

    mosquitto lets anybody subscribe to anything and looks at the right to read only when it delivers. So a device that joined
    the collectors' shared subscription would be dealt messages of others, which then reached nobody. Here it may subscribe below its own ``down/`` alone.
    """

    __slots__ = ("_own",)

    def __init__(self, device: str, packet_at_most: int) -> None:
        """Take the device's id."""
        super().__init__(packet_at_most)
        self._own = f"{PREFIX}/{device}/down/"

    def _holds_back(self, first: int, size: int) -> bool:
        if first == SUBSCRIBE and size > SUBSCRIBE_AT_MOST:
            raise Refused(Refusal.TOO_LARGE)
        return first == SUBSCRIBE

    def _check(self, first: int, data: bytes, at: int, size: int) -> None:
        if first & 0xF0 == CONNECT:
            raise Refused(Refusal.PROTOCOL)
        if first & 0xF0 == SUBSCRIBE & 0xF0:
            try:
                filters = read_subscribe(data[at : at + size])
            except Malformed as error:
                raise Refused(Refusal.MALFORMED) from error
            if not all(one.startswith(self._own) for one in filters):
                raise Refused(Refusal.FOREIGN_TOPIC)
