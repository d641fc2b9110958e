"""Uvicorn in a thread: the page's server, and the one of the hub's API."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from moodify.errors import PersonMustAct, RetryLater
from moodify.web.certificate import reached_at
from moodify.web.connections import AT_MOST, Connection, Listening
from moodify.web.encrypted import Encrypted

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Self

    from fastapi import FastAPI

_log = logging.getLogger(__name__)

#: What a connection that does not end by itself is given when the page stops, in seconds.
_GRACE_S = 1
_START_S = 30.0
_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Words:
    """How a server is spoken of to a person who must act."""

    name: str
    host_key: str
    port_key: str
    where: str
    """Where those keys stand."""
    no_start: str
    """What to do where it did not come up."""


_PAGE = Words("page", "host", "port", "under [web]", "Start Moodify again, or set enabled = false under [web].")


class HttpServer:
    """Answers requests in a thread of its own between :meth:`start` and :meth:`stop`; listens from construction on."""

    def __init__(self, app: FastAPI, host: str, port: int, *, words: Words, end_streams: Callable[[], None], tls: ssl.SSLContext | None = None) -> None:
        """Bind.

        Args:
            app: the application; its ``state.place`` says under which names it is reached.
            host: address to listen on, IPv4 or IPv6.
            port: port to listen on; 0 lets the system choose.
            words: how to speak of it.
            tls: what :func:`moodify.web.certificate.server_context` returns; who speaks plain HTTP is then told where it is encrypted. None answers plain HTTP, for loopback.
            end_streams: ends the answers that would go on by themselves; called when the server stops.

        Raises:
            PersonMustAct: the port is taken or may not be used, or the machine does not have the address.
            ValueError: plain HTTP beyond loopback.
        """
        if tls is None and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"plain HTTP at {host} would show passwords to the network")
        self._words = words
        self._scheme = "http" if tls is None else "https"
        self._socket = _bound(host, port, words)
        self._host = host
        self._port = int(self._socket.getsockname()[1])
        self._server = _Server(app, end_streams, tls)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is found: an address that listens on all is told by one that others reach this machine by."""
        host = reached_at(self._host)
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def alive(self) -> bool:
        """Whether requests are answered."""
        return self._server.ready.is_set() and self._thread.is_alive()

    def start(self) -> None:
        """Answer requests from now on.

        Raises:
            RetryLater: the server did not come up.
        """
        self._thread.start()
        if not self._server.ready.wait(_START_S) or self._failure is not None:
            self.stop()
            raise RetryLater(f"The {self._words.name} did not start ({self._failure or 'no answer'}). {self._words.no_start}")
        _log.info("The %s is on %s", self._words.name, self.url)

    def stop(self) -> None:
        """End open streams, requests and the thread, within about two seconds; safe to call twice, and before :meth:`start`."""
        self._server.end()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                _log.error("The %s's thread did not end within %s s", self._words.name, _STOP_S)
        self._socket.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except BaseException as error:
            self._failure = error
            _log.error("The %s's server ended: %s", self._words.name, error)
            if self._server.ready.is_set() and not self._server.should_exit:
                # It had come up: nobody waits for that any more, and who looks after threads hears of it (threading.excepthook).
                raise
        finally:
            self._server.ready.set()


class PageServer(HttpServer):
    """The page's."""

    def __init__(self, app: FastAPI, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Bind; ``app`` is what :func:`moodify.web.app.create_app` returns.

        Raises:
            PersonMustAct: as for :class:`HttpServer`.
        """
        super().__init__(app, host, port, words=_PAGE, end_streams=app.state.close, tls=tls)


class _Server(uvicorn.Server):
    """Uvicorn, made to say when it answers and to end the streams first."""

    def __init__(self, app: FastAPI, end_streams: Callable[[], None], tls: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=2 * AT_MOST,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE_S,
        )
        config.load()
        if tls is not None:
            # Uvicorn's own would be made of files once more, takes what a browser of long ago speaks, and gives no answer to who does not encrypt.
            config.http_protocol_class = lambda **options: Encrypted(Connection(**options), tls, app.state.place)  # type: ignore[assignment] # it is only called
        super().__init__(config)
        # access_log=False holds only as long as nobody gives that logger a handler.
        logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
        # It warns of each request that is none, without end.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._end_streams = end_streams
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self.ready = threading.Event()

    def end(self) -> None:
        """Shut down; from any thread, at any time."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.ready.set()

    async def main_loop(self) -> None:
        # Uvicorn's own wakes the processor ten times a second; once is enough for the Date header, and end() need not wait for it.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Uvicorn waits for answers in progress, and a stream is one that never ends.
        self._end_streams()
        await super().shutdown(sockets)
        # What is left is full of what its client does not read, and would be flushed for ever.
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)


def _bound(host: str, port: int, words: Words) -> socket.socket:
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    listening = Listening(family)
    try:
        # A restart must not wait for the last run's connections to time out.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise PersonMustAct(_cannot_listen(error, host, port, words)) from error
    return listening


def _cannot_listen(error: OSError, host: str, port: int, words: Words) -> str:
    port_key = words.port_key
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken by another program. Stop that program, or set another {port_key} {words.where} ({port_key} = 0 lets the system choose)."
        case errno.EACCES:
            return f"Port {port} on {host} is kept for root. Set a {port_key} of 1024 or more {words.where}."
        case errno.EADDRNOTAVAIL:
            return f"This machine does not have the address {host}. Set {words.host_key} {words.where} to 127.0.0.1."
        case _:
            return f"The {words.name} can't listen on {host} port {port} ({error.strerror}). Set another {words.host_key} or {port_key} {words.where}."
