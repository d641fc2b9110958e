"""The admin token: made once, kept as a hash, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from moodify.web.limits import counted_as
from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

logger = logging.getLogger(__name__)

#: Wrong tokens a minute that are answered with 401; more are answered with 429.
FAILURES_PER_MINUTE: Final = 10
_BYTES: Final = 32
_CHALLENGE: Final = 'Bearer realm="moodify hub"'


def new_token() -> str:
    """Return a new admin token: 256 bits, base64url."""
    return secrets.token_urlsafe(_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept of a token: its SHA-256 in hex. A slow hash protects what people choose; nobody guesses 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


class Admin:
    """Looks at the Authorization header of requests. For any thread."""

    def __init__(self, hashes: Callable[[], Collection[str]], *, failures_per_minute: int = FAILURES_PER_MINUTE) -> None:
        """Take what gives the hashes (:func:`hash_of`) of the tokens that are good now; asked for each request, by any thread."""
        self._hashes = hashes
        self._limit = RateLimitItemPerMinute(failures_per_minute)
        self._failures = MovingWindowRateLimiter(MemoryStorage())

    def check(self, authorization: str | None, client: str) -> None:
        """Let the admin pass, always: who guesses must not be able to lock them out.

        Raises:
            Problem: 401 where the token is missing or wrong, 429 where ``client`` sent too many wrong ones.
        """
        if authorization is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Nobody says who asks. Send the header Authorization: Bearer and the admin token, which moodify hub init printed.", _challenge())
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and self._is_good(hash_of(token.strip())):
            return
        who = counted_as(client)
        if self._failures.hit(self._limit, who):
            logger.warning("somebody at %s asked the API with a wrong admin token", client)
            raise Problem(HTTPStatus.UNAUTHORIZED, "This is not the admin token. Use the one that moodify hub init printed.", _challenge("invalid_token"))
        wait_s = max(1, round(self._failures.get_window_stats(self._limit, who).reset_time - time.time()))
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"Too many wrong tokens. Wait {wait_s} s, or use the one that moodify hub init printed.", {"Retry-After": str(wait_s)})

    def _is_good(self, given: str) -> bool:
        # All are compared, so that the time does not tell which it was.
        return any([hmac.compare_digest(given.encode(), good.encode()) for good in self._hashes()])  # noqa: C419 - as the comment says


def _challenge(error: str | None = None) -> dict[str, str]:
    return {"WWW-Authenticate": _CHALLENGE if error is None else f'{_CHALLENGE}, error="{error}"'}
