"""What connections may take of a small machine: so many at once, so many of one address, and none for ever.

Uvicorn counts a connection once it is encrypted, waits for a request for as long as it takes to come, and for an answer to be read likewise. So anybody
on the network could take all of its places without a password, and beyond that all the files that the process may open, which camera and database need too.
"""

from __future__ import annotations

import ipaddress
import socket
import weakref
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

#: Of all addresses together; encrypted, each takes up to a quarter of a megabyte.
AT_MOST: Final = 64
#: Of one address: a browser has six, and a few of a household's may be behind one. Loopback, where a tunnel or a proxy speaks for many, may have all.
OF_ONE: Final = 32
#: What was sent and is not acknowledged for so long goes to a machine that is asleep or gone.
_GONE_MS: Final = 60_000
#: States in which more of a request is to come.
_TO_COME: Final = frozenset({h11.IDLE, h11.SEND_BODY})


class Crowd:
    """Counts the connections that are open. Belongs to one thread."""

    def __init__(self, at_most: int = AT_MOST, of_one: int = OF_ONE) -> None:
        """Take how many there may be, at all and of one address."""
        self._at_most = at_most
        self._of_one = of_one
        self._open: list[tuple[str, weakref.ref[socket.socket]]] = []

    def takes(self, connection: socket.socket, address: str) -> bool:
        """Return whether there is room for one of an address; it counts until it is closed."""
        self._open = [(of, found) for of, found in self._open if (each := found()) is not None and each.fileno() >= 0]
        of_one = self._at_most if _is_loopback(address) else self._of_one
        if len(self._open) >= self._at_most or sum(of == address for of, _ in self._open) >= of_one:
            return False
        self._open.append((address, weakref.ref(connection)))
        return True


class Listening(socket.socket):
    """A socket that listens, and hangs up at once on whom there is no room for."""

    def __init__(self, family: socket.AddressFamily) -> None:
        """Make it, of TCP."""
        # Named, for asyncio turns Nagle's algorithm off only where the protocol is: else the end of each answer waits 40 ms for the client's acknowledgement.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._crowd = Crowd()

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection.

        Raises:
            ConnectionAbortedError: there was no room for it.
        """
        connection, address = super().accept()
        if not self._crowd.takes(connection, str(address[0])):
            connection.close()
            raise ConnectionAbortedError("no room for another connection")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)
        return connection, address


class Connection(H11Protocol):
    """Uvicorn's, which is hung up on where a request does not come to its end, or an answer is not read."""

    request_s = 20.0
    """For a whole request, from the connection or its first byte on; it has 32 kB at most."""
    unread_s = 30.0
    """For some of an answer to be read."""

    _due: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take some of a request."""
        super().data_received(data)
        self._expect()

    def pause_writing(self) -> None:
        """Wait for the answer to be read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on answering."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._due, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self.conn.their_state not in _TO_COME:
            if self._due is not None:
                self._due.cancel()
            self._due = None
        elif self._due is None:
            self._due = self.loop.call_later(self.request_s, self.transport.abort)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
