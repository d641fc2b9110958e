"""Programs at the hub's door, and the count of what is asked."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from moodify.web.cookies import Cookies
from moodify.web.limits import Allowance, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from moodify.hub.api.admin import Admin
    from moodify.hub.metrics import Metrics

#: More than any request needs: a command may have 4 kB.
MAX_BODY_BYTES: Final = 16 * 1024
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: What programs ask: whoever is unknown there is told how a token is sent.
_FOR_PROGRAMS: Final = ("/v1/", "/metrics")


def limits() -> Limits:
    """Return what one address may ask of a hub: programs ask more than people."""
    return Limits(requests=Allowance(2000, 500))


def let_in_by(admin: Admin) -> Callable[[Scope], bool]:
    """Return what says of a request whether the admin token lets it in, beside people's sessions; it raises a problem where a token is wrong, or wanted."""

    def let_in(scope: Scope) -> bool:
        authorization = Headers(scope=scope).get("authorization")
        if authorization is None and (Cookies.of(scope).access is not None or not scope["path"].startswith(_FOR_PROGRAMS)):
            return False
        client = scope.get("client")
        admin.check(authorization, client[0] if client else "unknown")
        return True

    return let_in


class Counted:
    """ASGI middleware that counts what is asked; the outermost, so that refusals count too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Take the application inside, and where requests are counted."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # A path or method of somebody's invention is no label.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, getattr(scope.get("route"), "path", "other"), str(status)).inc()
