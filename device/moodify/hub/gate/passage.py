"""A device's connection to mosquitto."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

#: Longest wait for mosquitto to take a connection, in seconds.
REACH_TIMEOUT_S = 4
#: What waits to be written, above which the other side is read no further, in bytes.
WRITE_AT_MOST = 32 * 1024
#: How long mosquitto may take to take the last message, in seconds.
LINGER_S = 2.0


class Device(Protocol):
    """The other side."""

    def pass_down(self, data: bytes) -> None:
        """Take what mosquitto says."""

    def passage_lost(self) -> None:
        """Take note that mosquitto has ended the connection, or itself."""

    def hold(self) -> None:
        """Read no further from the device."""

    def go_on(self) -> None:
        """Read on from the device."""


class Passage(asyncio.BufferedProtocol):
    """mosquitto's side of a device's connection."""

    __slots__ = ("_buffer", "_device", "_transport")

    def __init__(self, device: Device, buffer: memoryview) -> None:
        """Take the other side, and where to read to: what was read is taken out before the loop turns to another connection."""
        self._device = device
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_AT_MOST)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface's; a cut connection needs no reason
        """End the other side too."""
        self._transport = None
        self._device.passage_lost()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the interface's
        """Return where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was read."""
        self._device.pass_down(bytes(self._buffer[:nbytes]))

    def pause_writing(self) -> None:
        """Read no further from the device."""
        self._device.hold()

    def resume_writing(self) -> None:
        """Read on from the device."""
        self._device.go_on()

    def write(self, data: bytes) -> None:
        """Send something to mosquitto."""
        if self._transport is not None:
            self._transport.write(data)

    def hold(self) -> None:
        """Read no further."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """End, once mosquitto took what was written, or did not for a while. It hears no DISCONNECT that the device did not send."""
        if self._transport is not None:
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)


def reach(path: Path) -> socket.socket:
    """Connect to a unix socket. Blocks, in the kernel: where mosquitto's backlog is full, an event loop's own connect, and one with
    Python's timeout, which does not block either, would end at once.

    Raises:
        OSError: nobody listens there, or takes connections for :data:`REACH_TIMEOUT_S`.
    """
    reached = socket.socket(socket.AF_UNIX)
    try:
        reached.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", REACH_TIMEOUT_S, 0))
        reached.connect(str(path))
    except BaseException:
        reached.close()
        raise
    return reached
