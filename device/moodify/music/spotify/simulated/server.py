"""An HTTP server on loopback that asks its owner for each answer and can be closed at any moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .http import Answer, ApiError, Request

if TYPE_CHECKING:
    from collections.abc import Callable

#: A client that is silent for so long loses its connection, so that no thread waits for ever.
IDLE_S = 60.0
#: Longest wait, at close, for the threads of open connections.
HANG_UP_S = 5.0
#: No order of these APIs is longer.
LONGEST_BODY = 100_000


class LoopbackServer:
    """Serves on 127.0.0.1 from :meth:`start` to :meth:`close`.

    Args:
        respond: returns the answer to a request, None to close the connection without one; called by several threads.
        name: of its thread.
        port: 0 lets the system choose.
    """

    def __init__(self, respond: Callable[[Request], Answer | None], *, name: str, port: int = 0) -> None:
        """Bind; nobody is served yet."""
        self._server = _Server(("127.0.0.1", port), respond)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=name, daemon=True)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving and end the threads."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    # A program that ends without close() must not wait for idle connections.
    daemon_threads = True

    def __init__(self, address: tuple[str, int], respond: Callable[[Request], Answer | None]) -> None:
        self.respond = respond
        self._connections: set[socket.socket] = set()
        self._change = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._change:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._change:
            self._connections.discard(request)
            self._change.notify_all()

    def hang_up(self) -> None:
        """End all connections and wait until their threads have let go of them."""
        with self._change:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._change.wait_for(lambda: not self._connections, timeout=HANG_UP_S)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_S
    server: _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            # The client, or close(), hung up.
            self.close_connection = True

    def _respond(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            answer: Answer | None = ApiError(400, "Bad Content-Length").answer()
        else:
            headers = {name.casefold(): value for name, value in self.headers.items()}
            answer = self.server.respond(Request(self.command, self.path, headers, self.rfile.read(int(length))))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:  # noqa: PLR2004 - No Content
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_DELETE = _respond  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's names
        """Keep quiet: the daemon says itself what it asked for."""
