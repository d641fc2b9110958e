"""The page's server: uvicorn in a thread of the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from moodify.errors import PersonMustAct, RetryLater

if TYPE_CHECKING:
    from typing import Self

    from fastapi import FastAPI

    from moodify.web.streams import Streams

_log = logging.getLogger(__name__)

#: What a connection that does not end by itself is given when the page stops, in seconds.
_GRACE_S = 1
_START_S = 30.0
_STOP_S = 5.0


class PageServer:
    """Answers requests in a thread of its own between :meth:`start` and :meth:`stop`; listens from construction on."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Bind.

        Args:
            app: what :func:`moodify.web.app.create_app` returns.
            host: address to listen on, IPv4 or IPv6.
            port: port to listen on; 0 lets the system choose.

        Raises:
            PersonMustAct: the port is taken or may not be used, or the machine does not have the address.
        """
        self._socket = _bound(host, port)
        self._host = host
        self._port = int(self._socket.getsockname()[1])
        self._server = _Server(app)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

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
            raise RetryLater(f"The page did not start ({self._failure or 'no answer'}). Start Moodify again, or set enabled = false under [web].")
        _log.info("The page is on %s", self.url)

    def stop(self) -> None:
        """End open streams, requests and the thread, within about two seconds; safe to call twice, and before :meth:`start`."""
        self._server.end()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
            if self._thread.is_alive():
                _log.error("The page's thread did not end within %s s", _STOP_S)
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
        except BaseException as error:  # noqa: BLE001 - uvicorn ends a failed start with SystemExit, which a thread would swallow
            self._failure = error
            _log.error("The page's server ended: %s", error)
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    """Uvicorn, made to say when it answers and to end the streams first."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=64,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        # access_log=False holds only as long as nobody gives that logger a handler.
        logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
        self._streams: Streams = app.state.streams
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
        self._streams.close()
        await super().shutdown(sockets)
        # What is left is full of what its client does not read, and would be flushed for ever.
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait for the last run's connections to time out.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise PersonMustAct(_cannot_listen(error, host, port)) from error
    return listening


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is taken by another program. Stop that program, or set another port under [web] (port = 0 lets the system choose)."
        case errno.EACCES:
            return f"Port {port} on {host} is kept for root. Set a port of 1024 or more under [web]."
        case errno.EADDRNOTAVAIL:
            return f"This machine does not have the address {host}. Set host under [web] to 127.0.0.1."
        case _:
            return f"The page can't listen on {host} port {port} ({error.strerror}). Set another host or port under [web]."
