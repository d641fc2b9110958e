"""What every request must pass and every answer carries: a service answers under its own names, to its own page, in measure."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from moodify.web.limits import Allowance, Limits
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

#: Names under which a browser on this machine, or at the far end of an SSH tunnel, reaches a service.
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})

#: More than any request of the page needs.
MAX_BODY_BYTES: Final = 16 * 1024

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[0-9a-z.-]+)(?::[0-9]{1,5})?")
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: What costs a hash, and so is counted by itself: whatever takes a password or a code.
_TRIES: Final = frozenset({"/api/claim", "/api/session", "/api/reset", "/api/me", "/api/me/password", "/api/erase"})

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # No Strict-Transport-Security: it holds for every port of a name, so that it would shut other services of the same machine, and
    # with a certificate of one's own no browser lets a person past the first change of it.
}
#: Refusals of one address that are logged: at once, and each second.
_TOLD: Final = (20, 1 / 60)
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "content-type, x-moodify",
    "Access-Control-Max-Age": "600",
}

_INSIDE: Final = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside Moodify. Look into its log: journalctl -u moodify.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service is, and who may ask from elsewhere."""

    names: frozenset[str] = LOOPBACK_HOSTS
    """Names in the Host header that are answered, without ports, IPv6 in brackets, in small letters."""
    origins: frozenset[str] = frozenset()
    """Other origins whose scripts may ask (CORS), as browsers write them."""
    body_bytes: int = MAX_BODY_BYTES
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def reached_as(cls, names: Iterable[str], origins: Iterable[str] = ()) -> Place:
        """Return a place with loopback's names and ``names``: host names and addresses."""
        return cls(LOOPBACK_HOSTS | {_as_host(name) for name in names}, frozenset(origins))

    def has(self, host: str, own: str) -> bool:
        """Return whether a Host header names this place: a DNS name that was rebound to it does not, and the address ``own`` that a request came to does."""
        match = _HOST.fullmatch(host.lower())
        return match is not None and (match["name"] in self.names or match["name"] == _as_host(own))


class Guard:
    """ASGI middleware that refuses foreign hosts, foreign pages, floods and oversized bodies, and sets the security headers.

    A DNS name that was rebound to this machine shows in Host; a foreign site's form or script shows in Origin, which browsers send
    with every request that changes state; an image or frame of a foreign site shows in Sec-Fetch-Site. A program that is
    no browser sends none of these and says ``X-Moodify: 1`` or brings a token of its own in Authorization, neither of which a foreign page can
    without a CORS preflight; that is granted to listed origins alone. Beside that the session's cookies are SameSite=Strict.
    """

    def __init__(self, app: ASGIApp, *, place: Place) -> None:
        """Take the application inside, and where it is."""
        self._app = app
        self._place = place
        self._told = Allowance(*_TOLD)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        granted = Headers(scope=scope).get("origin") in self._place.origins
        every = self._headers(scope, granted=granted)

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(every)
            await send(message)

        try:
            self._check(scope, granted=granted)
            if granted and scope["method"] == "OPTIONS":
                await Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)(scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        except Problem as problem:
            self._tell(scope, problem)
            await problem.response()(scope, receive, send_with_headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], _logged(scope))
            if started:
                raise
            await _INSIDE.response()(scope, receive, send_with_headers)

    def _headers(self, scope: Scope, *, granted: bool) -> dict[str, str]:
        """Return what the answer to a request carries beside its own."""
        headers = dict(_HEADERS)
        if self._place.origins:
            headers["Vary"] = "Origin"
        if granted:
            headers |= {"Access-Control-Allow-Origin": Headers(scope=scope)["origin"], "Access-Control-Allow-Credentials": "true"}
        if not scope["path"].startswith("/static/"):
            headers["Cache-Control"] = "no-store"
        return headers

    def _tell(self, scope: Scope, problem: Problem) -> None:
        """Log a refusal while it is news: nobody fills the journal, and an SD card, with them."""
        if problem.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}:
            return
        with contextlib.suppress(Problem):
            self._told.take(_client(scope))
            _log.warning("Refused %s %s: %s", scope["method"], _logged(scope), problem.detail)

    def _check(self, scope: Scope, *, granted: bool) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._place.has(host, (scope.get("server") or ("",))[0]):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "This is not a name of this machine. Open the page at the address that moodify run prints, or list the name under names in its configuration.",
            )
        client = _client(scope)
        self._place.limits.requests.take(client)
        origin = headers.get("origin")
        if origin is not None and not granted and origin.lower() != f"{scope['scheme']}://{host}":
            raise Problem(HTTPStatus.FORBIDDEN, "Another site asked for this. Use the buttons on Moodify's own page.")
        fetched_by = headers.get("sec-fetch-site", "none")
        if scope["path"].startswith(("/api/", "/v1/")) and not granted and fetched_by not in {"same-origin", "none"}:
            raise Problem(HTTPStatus.FORBIDDEN, "Another site asked for this. Open Moodify's own page.")
        if scope["method"] not in _READS:
            self._check_change(scope["method"], headers, has_origin=origin is not None)
            if scope["path"] in _TRIES:
                self._place.limits.tries.take(client)

    def _check_change(self, method: str, headers: Headers, *, has_origin: bool) -> None:
        # No browser adds a token of its own accord.
        program = "authorization" in headers
        if not has_origin and not program and headers.get("x-moodify") != "1":
            raise Problem(HTTPStatus.FORBIDDEN, "Nobody says who asks. From a program, send the header X-Moodify: 1.")
        if "transfer-encoding" in headers:
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "The length of the request is unknown. Send it in one piece, with Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._place.body_bytes:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is too long. Send at most {self._place.body_bytes} bytes.")
        if not program and (method != "DELETE" or length != "0") and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Changes are asked for in JSON. Send the header Content-Type: application/json.")


def _client(scope: Scope) -> str:
    return str((scope.get("client") or ("unknown",))[0])


def _logged(scope: Scope) -> str:
    """Return a path as it came: decoded, it may hold an end of line and whatever else a terminal obeys."""
    return str(bytes(scope.get("raw_path", b""))[:200], "ascii", "replace")


def _as_host(name: str) -> str:
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(name.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return f"[{address}]" if address.version == 6 and mapped is None else str(mapped or address)  # noqa: PLR2004 - IPv6
    return name.lower()
