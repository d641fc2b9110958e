"""What every request must pass and every answer carries: the page serves this machine, and its own page, alone."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

#: Names under which a browser on this machine, or at the far end of an SSH tunnel, reaches the page.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

#: More than any request of the page needs.
MAX_BODY_BYTES = 4096

_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[0-9a-z.-]+)(?::[0-9]{1,5})?")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_INSIDE = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside Moodify. Look into its log: journalctl -u moodify.")


def is_named(host: str, allowed_hosts: Collection[str]) -> bool:
    """Return whether a Host header names one of ``allowed_hosts`` (without ports, IPv6 in brackets): a DNS name that was rebound to loopback does not."""
    match = _HOST.fullmatch(host.lower())
    return match is not None and match["name"] in allowed_hosts


class Guard:
    """ASGI middleware that refuses foreign hosts, foreign pages and oversized bodies, and sets the security headers.

    A DNS name that was rebound to loopback shows in Host; a foreign site's form or script shows in Origin, which browsers send
    with every request that changes state; an image or frame of a foreign site shows in Sec-Fetch-Site. A program that is
    no browser sends none of these and says ``X-Moodify: 1``, which a foreign page can't without a CORS preflight, and none is ever granted.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Collection[str] = LOOPBACK_HOSTS) -> None:
        """Take the application inside, and host names without ports, IPv6 in brackets."""
        self._app = app
        self._allowed_hosts = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        private = not scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if private:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_with_headers)
        except Problem as problem:
            _log.warning("Refused %s %s: %s", scope["method"], scope["path"], problem.detail)
            await problem.response()(scope, receive, send_with_headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await _INSIDE.response()(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not is_named(host, self._allowed_hosts):
            raise Problem(HTTPStatus.FORBIDDEN, "This page answers on this machine only. Open it as http://127.0.0.1 or http://localhost, with the port that moodify run prints.")
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host}":
            raise Problem(HTTPStatus.FORBIDDEN, "Another site asked for this. Use the buttons on Moodify's own page.")
        fetched_by = headers.get("sec-fetch-site", "none")
        if scope["path"].startswith("/api/") and fetched_by not in {"same-origin", "none"}:
            raise Problem(HTTPStatus.FORBIDDEN, "Another site asked for this. Open Moodify's own page.")
        if scope["method"] not in _READS:
            self._check_change(headers, has_origin=origin is not None)

    @staticmethod
    def _check_change(headers: Headers, *, has_origin: bool) -> None:
        if not has_origin and headers.get("x-moodify") != "1":
            raise Problem(HTTPStatus.FORBIDDEN, "Nobody says who asks. From a program, send the header X-Moodify: 1.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Changes are asked for in JSON. Send the header Content-Type: application/json.")
        if "transfer-encoding" in headers:
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "The length of the request is unknown. Send it in one piece, with Content-Length.")
        if int(headers.get("content-length", "0")) > MAX_BODY_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is too long. Send at most {MAX_BODY_BYTES} bytes.")
