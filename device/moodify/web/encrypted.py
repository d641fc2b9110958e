"""TLS before a server's connections, and what is answered to who speaks plain HTTP there: where it is encrypted.

A browser in which ``name.local:8080`` was typed asks so at first.
"""

from __future__ import annotations

import asyncio
import re
from asyncio.sslproto import SSLProtocol
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import h11

from moodify.web.connections import Connection

if TYPE_CHECKING:
    import ssl

    from moodify.web.guard import Place

#: The first byte of a connection that begins with TLS: a record of a handshake (RFC 8446, 5.1).
_HANDSHAKE: Final = 0x16
#: More than the head of a request that somebody typed needs.
_HEAD_AT_MOST: Final = 8 * 1024
_PORT: Final = re.compile(r":[0-9]{1,5}$")
_HTTPS_PORT: Final = 443


class Encrypted(SSLProtocol):
    """asyncio's TLS, as its own server puts it before a protocol, but for a connection whose first byte begins no handshake: that comes to :class:`_Plain` alone."""

    def __init__(self, inner: asyncio.Protocol, context: ssl.SSLContext, place: Place) -> None:
        """Take what is encrypted, the certificate, and the names to which plain HTTP is answered."""
        super().__init__(asyncio.get_running_loop(), inner, context, None, server_side=True)  # type: ignore[arg-type] # typeshed is stricter than asyncio, which passes None
        self._place = place
        self._is_new = True
        self._came = memoryview(b"")
        self._raw: asyncio.Transport | None = None
        self._plain: _Plain | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if isinstance(transport, asyncio.Transport):
            self._raw = transport
        super().connection_made(transport)

    def get_buffer(self, n: int) -> memoryview:
        """Return where it is to be put."""
        self._came = super().get_buffer(n)
        return self._came

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        if self._is_new and self._raw is not None and self._came[0] != _HANDSHAKE:
            self._plain = _Plain(self._raw, self._place)
        self._is_new = False
        if self._plain is None:
            super().buffer_updated(nbytes)
        else:
            self._plain.take(bytes(self._came[:nbytes]))

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._raw = None
        if self._plain is not None:
            self._plain.end()
        super().connection_lost(exc)


class _Plain:
    """Answers one request, and no more than where it belongs; it has as long to come as any."""

    def __init__(self, transport: asyncio.Transport, place: Place) -> None:
        self._transport = transport
        self._place = place
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_AT_MOST)
        self._due = asyncio.get_running_loop().call_later(Connection.request_s, transport.abort)

    def end(self) -> None:
        self._due.cancel()

    def take(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            self._transport.abort()
            return
        if isinstance(event, h11.Request):
            self._transport.write(self._answer(event))
            self._transport.close()

    def _answer(self, request: h11.Request) -> bytes:
        host = next((value.decode("ascii", "replace") for name, value in request.headers if name == b"host"), "")
        own, port = self._transport.get_extra_info("sockname")[:2]
        headers = [("Content-Length", "0"), ("Connection", "close"), ("Cache-Control", "no-store")]
        if not self._place.has(host, own):
            return self._said(HTTPStatus.FORBIDDEN, headers)
        authority = host if _PORT.search(host) or port == _HTTPS_PORT else f"{host}:{port}"
        target = request.target.decode("ascii")
        return self._said(HTTPStatus.PERMANENT_REDIRECT, [*headers, ("Location", f"https://{authority}{target if target.startswith('/') else '/'}")])

    def _said(self, status: HTTPStatus, headers: list[tuple[str, str]]) -> bytes:
        answer = h11.Response(status_code=status, headers=headers, reason=status.phrase)
        return (self._http.send(answer) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
