"""What every request to the API must pass and every answer carries."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from moodify.web.guard import LOOPBACK_HOSTS, is_named
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from moodify.hub.api.admin import Admin
    from moodify.hub.metrics import Metrics

logger = logging.getLogger(__name__)

#: What is answered without the token: none of it says anything about a device.
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
#: More than any request needs: a command may have 4 kB.
MAX_BODY_BYTES: Final = 16 * 1024
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
_INSIDE: Final = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside the hub. Look into its log.")


class Guard:
    """ASGI middleware that refuses foreign hosts, requests without the admin token and oversized bodies, and counts what is asked.

    It stands before the routes, so that none can forget the token, and nothing of a request is read before it is known who asks. A DNS name that
    was rebound to loopback shows in Host; a foreign site's script has no token, and the browser adds none by itself.
    """

    def __init__(self, app: ASGIApp, *, admin: Admin, metrics: Metrics, allowed_hosts: Collection[str] = LOOPBACK_HOSTS) -> None:
        """Take the application inside, who is let in, where requests are counted, and host names without ports, IPv6 in brackets."""
        self._app = app
        self._admin = admin
        self._metrics = metrics
        self._allowed_hosts = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_with_headers)
        except Problem as problem:
            await problem.response()(scope, receive, send_with_headers)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if status:
                raise
            await _INSIDE.response()(scope, receive, send_with_headers)
        finally:
            # A path or method of somebody's invention is no label.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, getattr(scope.get("route"), "path", "other"), str(status)).inc()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not is_named(headers.get("host", ""), self._allowed_hosts):
            raise Problem(HTTPStatus.FORBIDDEN, "The API answers on this machine only. Ask it at http://127.0.0.1, with the port that moodify hub status prints.")
        if scope["path"] not in OPEN_PATHS:
            client = scope.get("client")
            self._admin.check(headers.get("authorization"), client[0] if client else "unknown")
        if "transfer-encoding" in headers:
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "The length of the request is unknown. Send it in one piece, with Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is too long. Send at most {MAX_BODY_BYTES} bytes.")
