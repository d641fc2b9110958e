"""Who asks: the door in front of all routes, and what routes learn of who came through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Protocol

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from moodify.accounts.session import Who
from moodify.accounts.user import Role
from moodify.errors import MoodifyError, NotPermitted, NotSignedIn
from moodify.web.cookies import Cookies
from moodify.web.problems import of_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

#: What is answered to anybody: the page's own files, how to sign in, whether the service lives, and what its API is. Nothing of it says anything about a person or a room.
PUBLIC: Final = frozenset(
    {
        *(("GET", path) for path in ("/", "/healthz", "/readyz", "/openapi.json", "/api/claim", "/api/reset")),
        *(("POST", path) for path in ("/api/claim", "/api/session", "/api/session/refresh", "/api/reset")),
    }
)
_STATIC: Final = "/static/"


def is_public(method: str, path: str) -> bool:
    """Return whether a request is answered to anybody."""
    return ("GET" if method == "HEAD" else method, path) in PUBLIC or (method in {"GET", "HEAD"} and path.startswith(_STATIC))


class Knows(Protocol):
    """What the door asks of :class:`moodify.accounts.accounts.Accounts`."""

    def who(self, access_token: str) -> Who:
        """Return whose token it is."""


class Door:
    """ASGI middleware that lets in who is signed in, and everybody to what is public.

    It stands before the routes, so that none can forget to ask. A token is proven and its session looked up in memory, which takes microseconds, so that
    an ended session has ended with its next request.
    """

    def __init__(self, app: ASGIApp, *, accounts: Knows, also: Callable[[Scope], bool] = lambda _scope: False, threaded: bool = False) -> None:
        """Take what it stands between.

        Args:
            app: the application inside.
            accounts: knows sessions.
            also: what else lets a request in; it may raise a problem.
            threaded: ask ``accounts`` off the loop, as theirs is a database that may be elsewhere.
        """
        self._app = app
        self._accounts = accounts
        self._also = also
        self._threaded = threaded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or raise a problem."""
        if scope["type"] == "http" and not is_public(scope["method"], scope["path"]):
            state = scope.setdefault("state", {})
            state["who"] = None if self._also(scope) else await self._who(scope)
        await self._app(scope, receive, send)

    async def _who(self, scope: Scope) -> Who:
        token = Cookies.of(scope).access
        try:
            if token is None:
                raise NotSignedIn("Nobody is signed in. Open the page and sign in.")
            return await run_in_threadpool(self._accounts.who, token) if self._threaded else self._accounts.who(token)
        except MoodifyError as error:
            # Routes and their answers to errors are behind the door.
            raise of_error(error) from error


def signed_in(request: Request) -> Who:
    """Return who asks; for routes behind the door.

    Raises:
        NotPermitted: a program asks, with the admin token.
    """
    who: Who | None = request.state.who
    if who is None:
        raise NotPermitted("This is for a person who is signed in. Open the page and sign in.")
    return who


def owner(request: Request) -> Who:
    """Return the owner who asks; for routes behind the door.

    Raises:
        NotPermitted: it is a member, or a program.
    """
    who = signed_in(request)
    if who.user.role is not Role.OWNER:
        raise NotPermitted("Only an owner may do this. Ask one, or have one make you an owner.")
    return who


#: Types of arguments by which a route says whom it is for.
Person = Annotated[Who, Depends(signed_in)]
Owner = Annotated[Who, Depends(owner)]
