"""TLS with little memory for each connection."""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from moodify.hub.gate.connection import Visitor

#: What was decrypted and not yet taken, above which nothing more is read, in bytes.
_READ_AT_MOST = 32 * 1024
#: Longest wait for the other side's goodbye, in seconds.
_GOODBYE_S = 5


class Tls(SSLProtocol):
    """asyncio's TLS over a connection that was accepted without.

    asyncio's own server takes 256 KiB for each connection to read into. Here all share one buffer: what was read into it is
    taken out before the loop turns to the next. The connection is also known, and limited, from its first byte on and not only after the handshake.
    """

    max_size = 16 * 1024

    def __init__(self, visitor: Visitor, context: ssl.SSLContext, shared: bytearray, *, handshake_s: float) -> None:
        """Take who is behind it, the certificate, the buffer (``max_size`` bytes) and how long a handshake may take, in seconds."""
        super().__init__(
            asyncio.get_running_loop(),
            visitor,
            context,
            None,  # type: ignore[arg-type] # typeshed is stricter than asyncio, which passes None and seconds in parts
            server_side=True,
            ssl_handshake_timeout=handshake_s,  # type: ignore[arg-type]
            ssl_shutdown_timeout=_GOODBYE_S,
        )
        self._visitor = visitor
        self._ssl_buffer = shared
        self._ssl_buffer_view = memoryview(shared)
        self._set_read_buffer_limits(_READ_AT_MOST)  # type: ignore[attr-defined] # typeshed leaves it out

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, if there is room."""
        if self._visitor.opened(transport):
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the room back."""
        super().connection_lost(exc)
        self._visitor.closed()
