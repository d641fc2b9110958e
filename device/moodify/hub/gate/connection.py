"""A device's connection, and the one to mosquitto that belongs to it.

Protocols and no streams or tasks: a connection that says nothing costs a few kilobytes, and thousands of them are held.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol, cast

from moodify.hub.gate.answers import CONNACK, Reason, connack, connack_3, disconnect
from moodify.hub.gate.packets import CONNECT, HEADER_AT_MOST, Malformed, OtherVersion, read_connect, read_header
from moodify.hub.gate.passage import WRITE_AT_MOST
from moodify.hub.gate.refusals import Refusal, Refused
from moodify.hub.gate.stream import DeviceStream, Stream
from moodify.hub.mosquitto import PACKET_AT_MOST

if TYPE_CHECKING:
    from moodify.hub.gate.packets import Connect
    from moodify.hub.gate.passage import Passage
    from moodify.hub.gate.signin import Admission

#: Largest CONNECT, in bytes: a token of 2 kB, names, and a last will.
CONNECT_AT_MOST = 8 * 1024
#: How long somebody may take to read the last word, in seconds.
LINGER_S = 2.0


class House(Protocol):
    """What a connection needs of the gate."""

    buffer: memoryview
    """All read into this one: what was read is taken out before the loop turns to the next."""
    count: dict[str, int]
    sign_in_s: float

    def arrived(self, visitor: Visitor) -> bool:
        """Take note of a connection; return whether there is room for it."""

    def left(self, visitor: Visitor) -> None:
        """Take note of its end."""

    def says(self, visitor: Visitor, connect: Connect) -> None:
        """Sign it in: end it, or let it pass, soon."""

    def greeted(self, visitor: Visitor) -> None:
        """Take note that mosquitto took it."""

    def refused(self, visitor: Visitor, refusal: Refusal) -> None:
        """Count and log a refusal."""


class _State(Enum):
    WAITING = auto()
    """For the whole CONNECT."""
    SIGNING_IN = auto()
    PASSING = auto()
    OVER = auto()


class Visitor(asyncio.BufferedProtocol):
    """A device's side."""

    __slots__ = ("_answered", "_came", "_deadline", "_down", "_end", "_house", "_passage", "_raw", "_state", "_transport", "_up", "address", "admission")

    def __init__(self, house: House) -> None:
        """Take the gate that it came to."""
        self._house = house
        self._state = _State.WAITING
        self._raw: asyncio.Transport | None = None
        self._transport: asyncio.Transport | None = None
        self._passage: Passage | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._came = b""
        self._answered = False
        self._up: DeviceStream | None = None
        self._down = Stream(PACKET_AT_MOST)
        self.address = ""
        """Where it comes from."""
        self.admission: Admission | None = None
        """Who it is, once that was proved."""

    def opened(self, transport: asyncio.BaseTransport) -> bool:
        """Take the connection as it was accepted, before any encryption; return whether there is room for it."""
        self._raw = cast("asyncio.Transport", transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self._deadline = asyncio.get_running_loop().call_later(self._house.sign_in_s, self._late)
        if self._house.arrived(self):
            return True
        self.drop()
        return False

    def closed(self) -> None:
        """Take note that the connection is gone; safe to call twice."""
        self._state = _State.OVER
        for timer in (self._deadline, self._end):
            if timer is not None:
                timer.cancel()
        self._deadline = self._end = None
        if self._passage is not None:
            self._passage.close()
            self._passage = None
        self._house.left(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection as it is written to and read from."""
        self._transport = cast("asyncio.Transport", transport)
        if self._raw is not None or self.opened(transport):
            self._transport.set_write_buffer_limits(WRITE_AT_MOST)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface's; a cut connection needs no reason
        """End the other side too."""
        self.closed()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the interface's
        """Return where to read to."""
        return self._house.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        data = bytes(self._house.buffer[:nbytes])
        if self._state is _State.PASSING:
            self._pass_up(data)
        elif self._state is not _State.OVER:
            self._came += data
            if self._state is _State.WAITING:
                self._look()

    def pause_writing(self) -> None:
        """Read no further from mosquitto: this device does not take what is there already."""
        if self._passage is not None:
            self._passage.hold()

    def resume_writing(self) -> None:
        """Read on from mosquitto."""
        if self._passage is not None:
            self._passage.go_on()

    def hold(self) -> None:
        """Read no further: mosquitto does not take what is there already."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None and self._state is _State.PASSING:
            self._transport.resume_reading()

    def _look(self) -> None:
        try:
            if self._came[0] != CONNECT:
                raise Malformed("it does not begin with CONNECT")
            header = read_header(self._came[:HEADER_AT_MOST])
            if header is not None and header.size > CONNECT_AT_MOST:
                self._house.refused(self, Refusal.TOO_LARGE)
                self._finish(connack(Reason.TOO_LARGE))
                return
            if header is None or len(self._came) < header.size:
                return
            packet, self._came = self._came[: header.size], self._came[header.size :]
            connect = read_connect(packet)
        except OtherVersion as error:
            self._house.refused(self, Refusal.VERSION)
            self._finish(connack_3(error.version))
        except Malformed:
            # It gets no answer: who knows what would understand it.
            self._house.refused(self, Refusal.MALFORMED)
            self._finish(b"")
        else:
            self._state = _State.SIGNING_IN
            self._no_deadline()
            self.hold()
            self._house.says(self, connect)

    def _late(self) -> None:
        self._house.refused(self, Refusal.LATE)
        self.drop()

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    @property
    def over(self) -> bool:
        """Whether it has ended, or is ending."""
        return self._state is _State.OVER

    def passes(self, passage: Passage, connect: bytes, until_s: float) -> None:
        """Let it through to mosquitto, with its CONNECT as mosquitto is to read it, until the event loop's clock says ``until_s``."""
        assert self.admission is not None  # noqa: S101 - it was proved before
        self._state = _State.PASSING
        self._passage = passage
        self._up = DeviceStream(self.admission.device, PACKET_AT_MOST)
        self._end = asyncio.get_running_loop().call_at(until_s, self._expire)
        passage.write(connect)
        came, self._came = self._came, b""
        if came:
            self._pass_up(came)
        self.go_on()

    def _expire(self) -> None:
        self._house.count["cut_expired"] += 1
        self.end(Reason.TOO_LONG)

    def _pass_up(self, data: bytes) -> None:
        if self._up is None or self._passage is None:
            return
        self._house.count["bytes_up"] += len(data)
        try:
            self._passage.write(self._up.feed(data))
        except Refused as refused:
            self.refuse(refused.refusal)

    def pass_down(self, data: bytes) -> None:
        """Take what mosquitto says."""
        if self._state is not _State.PASSING or self._transport is None:
            return
        self._house.count["bytes_down"] += len(data)
        if not self._answered:
            self._answered = True
            header = read_header(data[:HEADER_AT_MOST])
            # The reason stands behind the flags (3.2.2). mosquitto writes a CONNACK in one go.
            if header is not None and data[0] == CONNACK and data[header.body + 1 : header.body + 2] == b"\0":
                self._house.greeted(self)
            else:
                self._house.refused(self, Refusal.BY_BROKER)
        try:
            self._transport.write(self._down.feed(data))
        except Refused:
            self.end(Reason.UNAVAILABLE)

    def passage_lost(self) -> None:
        """Take note that mosquitto has ended the connection, or itself."""
        self._passage = None
        if self._state is _State.PASSING:
            if self._answered:
                # mosquitto has said why, or could not.
                self._finish(b"")
            else:
                self.refuse(Refusal.UNAVAILABLE)

    def refuse(self, refusal: Refusal) -> None:
        """Count, log and answer a refusal, and end."""
        if self._state is not _State.OVER:
            self._house.refused(self, refusal)
            self.end(refusal.code)

    def end(self, reason: Reason) -> None:
        """Say why and end. mosquitto hears no DISCONNECT, so that the last will, with its delay, covers what comes."""
        if self._state is _State.OVER:
            return
        if self._state is _State.WAITING:
            self._finish(b"")
        elif not self._answered:
            self._finish(connack(reason))
        else:
            # In the midst of a packet nothing can be said.
            self._finish(disconnect(reason) if self._down.between else b"")

    def drop(self) -> None:
        """End without a word."""
        self._state = _State.OVER
        if self._raw is not None:
            self._raw.abort()

    def _finish(self, last: bytes) -> None:
        self._state = _State.OVER
        self._no_deadline()
        if self._passage is not None:
            self._passage.close()
            self._passage = None
        if self._transport is None or self._raw is None:
            self.drop()
            return
        if last:
            self._transport.write(last)
        # Closing while something unread has come would throw away what was just written, here and on the device (RFC 9293, 3.6.1):
        # its own end is waited for, a while, and what comes until then is read and dropped. TLS does so by itself.
        self._deadline = asyncio.get_running_loop().call_later(LINGER_S, self._raw.abort)
        self._transport.resume_reading()
        if self._transport.can_write_eof() and not self._transport.get_write_buffer_size():
            try:
                self._transport.write_eof()
            except OSError:
                # The device is gone, which asyncio has not noticed yet.
                self._raw.abort()
        else:
            self._transport.close()
