"""The cookies of a session: what a browser shows with each request, what it renews that with, and what it is known by when somebody signs in anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

    from moodify.accounts.session import SignedIn

#: The refresh token goes nowhere but here, nor does what the browser is known by.
REFRESH_PATH: Final = "/api/session"
#: The longest that browsers keep any (RFC 6265bis, 5.5).
_KNOWN: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Cookies:
    """A request's cookies, by the names that they have where it came in.

    Browsers keep cookies by host and not by port, so that the port stands in the name: page and hub may be on one machine. Over HTTPS the names begin
    with ``__Host-`` and ``__Secure-``, which nobody can set over HTTP or from a name above (RFC 6265bis, 4.1.3). Over HTTP, which is
    answered on loopback only, Safari drops what says Secure, so that nothing does.
    """

    access_name: str
    refresh_name: str
    browser_name: str
    secure: bool
    access: str | None
    refresh: str | None
    browser: str | None

    @classmethod
    def of(cls, scope: Scope) -> Cookies:
        """Read a request's."""
        secure = scope["scheme"] == "https"
        port = (scope.get("server") or ("", 0))[1]
        access_name = f"{'__Host-' if secure else ''}moodify_access_{port}"
        refresh_name = f"{'__Secure-' if secure else ''}moodify_refresh_{port}"
        browser_name = f"{'__Secure-' if secure else ''}moodify_browser_{port}"
        sent = HTTPConnection(scope).cookies
        return cls(access_name, refresh_name, browser_name, secure, sent.get(access_name), sent.get(refresh_name), sent.get(browser_name))

    def give(self, response: Response, signed_in: SignedIn, now: datetime | None = None) -> None:
        """Have a browser keep what it signed in with, out of reach of scripts and of other sites."""
        at = datetime.now(UTC) if now is None else now
        self._set(response, self.access_name, signed_in.access_token, "/", signed_in.access_expires - at)
        self._set(response, self.refresh_name, signed_in.refresh_token, REFRESH_PATH, signed_in.refresh_expires - at)
        if signed_in.browser_token is not None:
            self._set(response, self.browser_name, signed_in.browser_token, REFRESH_PATH, _KNOWN)

    def take_back(self, response: Response) -> None:
        """Have a browser forget the session; it is known as before."""
        for name, path in ((self.access_name, "/"), (self.refresh_name, REFRESH_PATH)):
            response.delete_cookie(name, path, secure=self.secure, httponly=True, samesite="strict")

    def _set(self, response: Response, name: str, value: str, path: str, left: timedelta) -> None:
        response.set_cookie(name, value, max_age=max(0, int(left.total_seconds())), path=path, secure=self.secure, httponly=True, samesite="strict")
