"""Signing in from the page: a link to open, and the address that the browser was sent back to. Nobody waits meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.errors import PersonMustAct, SignInNeeded

from .client import checked
from .ending import utc_now
from .services import Services
from .signin import SignIn
from .tokens import NEXT_STEP, TokenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from .scopes import Permission

#: How long an owner may take to agree, in seconds; the code that Spotify then gives is good for ten minutes.
LASTS_S = 900.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    sign_in: SignIn
    until_s: float


class PageSignIn:
    """At most one attempt to sign in, the newest. Safe from any thread.

    Args:
        folder: where the tokens are kept.
        services: where Spotify is.
        clock: seconds that only go forward.
        utc: the date.
    """

    def __init__(self, folder: Path, services: Services | None = None, *, clock: Callable[[], float] = time.monotonic, utc: Callable[[], datetime] = utc_now) -> None:
        """Begin nothing yet."""
        self._folder, self._services = folder, services or Services()
        self._clock, self._utc = clock, utc
        self._lock = threading.Lock()
        self._attempt: _Attempt | None = None

    @property
    def link(self) -> str | None:
        """Where the owner agrees; None while no attempt is open."""
        with self._lock:
            attempt = self._open()
            return None if attempt is None else attempt.sign_in.link

    def begin(self, client_id: str, redirect_uri: str, permissions: Iterable[Permission], *, timeout_s: float = 10.0) -> str:
        """Begin anew, and return the link; an earlier attempt is over. Sends nothing.

        Args:
            client_id: of the household's own app.
            redirect_uri: where Spotify sends the browser back to; it is registered with the app.
            permissions: what to ask for.
            timeout_s: longest time of one request.

        Raises:
            CannotWork: it is no client id.
        """
        sign_in = SignIn(
            checked(client_id),
            TokenFile(self._folder),
            redirect_uri=redirect_uri,
            permissions=permissions,
            accounts_url=self._services.accounts_url,
            timeout_s=timeout_s,
            utc=self._utc,
        )
        with self._lock:
            self._end()
            self._attempt = _Attempt(sign_in, self._clock() + LASTS_S)
        return sign_in.link

    def finish(self, address: str) -> str:
        """Take the address that the browser was sent back to, then fetch and keep the tokens; return the app's client id. May take seconds.

        Raises:
            PersonMustAct: no attempt is open, or the tokens can't be kept.
            CannotWork: it is not that address, only a part of it, or of another attempt; the attempt stays open.
            NotAllowed: the owner said no.
            SignInNeeded, SpeakerUnavailable: as :meth:`SignIn.finish`.
        """
        with self._lock:
            attempt = self._open()
        if attempt is None:
            raise PersonMustAct("no sign-in is under way, or it took longer than a quarter of an hour; begin again with Sign in to Spotify")
        attempt.sign_in.finish(address)
        kept = TokenFile(self._folder)
        if not attempt.sign_in.tokens.written:
            raise SignInNeeded(f"the sign-in can't be kept in {self._folder}; free some space or fix the folder's owner, then {NEXT_STEP}")
        kept.get_cached_token()
        with self._lock:
            if self._attempt is attempt:
                self._end()
        return str(attempt.sign_in.client_id)

    def close(self) -> None:
        """End what is open."""
        with self._lock:
            self._end()

    def _open(self) -> _Attempt | None:
        if self._attempt is not None and self._clock() >= self._attempt.until_s:
            self._end()
        return self._attempt

    def _end(self) -> None:
        if self._attempt is not None:
            self._attempt.sign_in.close()
            self._attempt = None
