"""Catches the redirect of a browser that runs on this machine."""

from __future__ import annotations

import html
import logging
import socketserver
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from moodify.errors import CannotWork, MoodifyError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Longest wait, in seconds, for a browser that has connected to send its request: some connect in advance and send nothing.
SILENCE_S = 2.0
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Moodify</title>
<style>body{{font:1.25rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}}</style></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


class Loopback(HTTPServer):
    """Waits on 127.0.0.1 for the redirect; works only while :meth:`serve_one` is called, on the caller's thread.

    Args:
        port: of the redirect; 0 lets the system choose.
        take: is given the address that the browser was sent to. CannotWork leaves the way open for another one; any other error of
            the house ends it, and so does returning.

    Raises:
        OSError: the port is taken or not allowed.
    """

    # A closed connection of the last attempt would keep the port for a minute.
    allow_reuse_address = True
    #: Longest wait for a connection that :func:`select.select` has announced and that is gone.
    timeout = 0.5

    def __init__(self, port: int, take: Callable[[str], None]) -> None:
        """Bind and listen."""
        self._take = take
        self.ended = False
        """Whether the sign-in has come to its end here, well or not."""
        self.error: MoodifyError | None = None
        """What ended it, where that was no success."""
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def serve_one(self) -> None:
        """Answer the connection that waits."""
        self.handle_request()

    def server_bind(self) -> None:
        """Bind without looking the machine's name up, which may take long and is not used."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        """Leave a browser that hangs up alone; what it was sent to holds the code, so no more is said."""
        logger.debug("A browser's request was cut short")

    def answer(self, target: str) -> tuple[HTTPStatus, str, str]:
        """Return status, title and text for a request's target, after doing what it asks for."""
        if urlsplit(target).path != "/callback":
            return HTTPStatus.NOT_FOUND, "Nothing is here", "This is where Spotify sends your browser back to."
        try:
            self._take(f"http://127.0.0.1:{self.port}{target}")
        except CannotWork as error:
            return HTTPStatus.BAD_REQUEST, "Not this one", f"{error}."
        except MoodifyError as error:
            self.ended, self.error = True, error
            return HTTPStatus.OK, "Not signed in", f"{error}."
        self.ended = True
        return HTTPStatus.OK, "Signed in to Spotify", "Moodify can play on your speaker now. You may close this page."


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENCE_S
    server: Loopback

    def do_GET(self) -> None:
        status, title, text = self.server.answer(self.path)
        page = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the line would hold the code."""
