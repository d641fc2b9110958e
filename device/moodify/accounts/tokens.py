"""The tokens that a browser shows: a JWT for minutes, and one for its next renewal."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import jwt

from moodify.accounts.clock import SLACK
from moodify.errors import NotSignedIn

if TYPE_CHECKING:
    from moodify.accounts.session import Session

#: An access token holds so long; what it may do is looked up each time, so that this only bounds how long a copied one is of use.
ACCESS_MINUTES: Final = 10
KEY_BYTES: Final = 32
_ALGORITHM: Final = "HS256"
_ID, _SECRET, _MAC = 16, 32, 16
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine access token says."""

    user_id: UUID
    session_id: UUID


class Tokens:
    """Makes and proves tokens with keys that are derived from one. Safe from any thread.

    A refresh token is the session's id, a 256-bit secret, and a MAC over both. The MAC tells a token that was ours, however long ago it was
    replaced, from one that somebody made up, so that only the former ends a session as stolen. The next secret follows from the one before by a
    keyed hash, so that two tabs that renew at once, or a browser that lost the answer, are given the same.
    """

    def __init__(self, key: bytes, audience: str) -> None:
        """Take the service's key of 32 bytes and its name: tokens of another service are none.

        Raises:
            ValueError: the key is not of that length.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, not {KEY_BYTES}")
        uses = ("access", "refresh", "rotation", "browser")
        self._access, self._mac, self._next, self._browser = (hmac.digest(key, f"moodify {use} {audience}".encode(), "sha256") for use in uses)
        # Whoever makes a code at the terminal need not know the audience.
        self._code = hmac.digest(key, b"moodify code", "sha256")
        self._audience = audience

    def access(self, session: Session, now: datetime) -> tuple[str, datetime]:
        """Return an access token (JWT, RFC 7519) and when it ends."""
        issued = now.replace(microsecond=0)
        expires = issued + timedelta(minutes=ACCESS_MINUTES)
        claims = {"aud": self._audience, "sub": str(session.user_id), "sid": str(session.id), "iat": int(issued.timestamp()), "exp": int(expires.timestamp())}
        return jwt.encode(claims, self._access, algorithm=_ALGORITHM), expires

    def claims(self, token: str, now: datetime) -> Claims:
        """Return what an access token says.

        Raises:
            NotSignedIn: it is not ours, for another service, too old, or from the future.
        """
        if len(token) > _LONGEST:
            raise not_signed_in()
        try:
            # The dates are compared below: pyjwt would ask the system's clock.
            found = jwt.decode(
                token,
                self._access,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                options={"require": ["aud", "sub", "sid", "iat", "exp"], "verify_exp": False, "verify_iat": False, "strict_aud": True},
            )
            issued, expires = (datetime.fromtimestamp(found[name], UTC) for name in ("iat", "exp"))
            claims = Claims(UUID(found["sub"]), UUID(found["sid"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
            raise not_signed_in() from error
        if not issued - SLACK <= now < expires:
            raise not_signed_in()
        return claims

    def first_refresh(self, session_id: UUID) -> str:
        """Return the refresh token of a session that begins."""
        return self._sealed(session_id, secrets.token_bytes(_SECRET), self._mac)

    def browser(self, user_id: UUID) -> str:
        """Return what a browser is known by with which somebody has signed in; it lets nobody in."""
        return self._sealed(user_id, secrets.token_bytes(_SECRET), self._browser)

    def is_browser_of(self, token: str, user_id: UUID) -> bool:
        """Return whether a browser was given a token because this user signed in with it."""
        found = _opened(token, self._browser)
        return found is not None and found[:_ID] == user_id.bytes

    def next_refresh(self, token: str) -> str:
        """Return the token that takes the place of a genuine one.

        Raises:
            NotSignedIn: it is not ours.
        """
        session_id = self.session_of(token)
        return self._sealed(session_id, hmac.digest(self._next, _octets(token), "sha256"), self._mac)

    def session_of(self, token: str) -> UUID:
        """Return the session of a refresh token that was ours at some time.

        Raises:
            NotSignedIn: it never was.
        """
        found = _opened(token, self._mac)
        if found is None:
            raise not_signed_in()
        return UUID(bytes=found[:_ID])

    def code_hash(self, code: str) -> bytes:
        """Return what is kept of a code, as :func:`moodify.accounts.codes.typed` gives it."""
        return hmac.digest(self._code, code.encode("utf-8", "surrogatepass"), "sha256")

    @staticmethod
    def _sealed(whose: UUID, secret: bytes, key: bytes) -> str:
        body = whose.bytes + secret
        return base64.urlsafe_b64encode(body + _mac_of(body, key)).decode().rstrip("=")


def hash_of(token: str) -> bytes:
    """Return what is kept of a refresh token: it is random, so that a plain hash can't be guessed from."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def not_signed_in() -> NotSignedIn:
    """Return what whoever has no session any more is told."""
    return NotSignedIn("you are not signed in, or this session has ended; sign in")


def _opened(token: str, key: bytes) -> bytes | None:
    """Return what was sealed with a key; None where it was not."""
    octets = _octets(token)
    body, mac = octets[:-_MAC], octets[-_MAC:]
    return body if len(octets) == _ID + _SECRET + _MAC and hmac.compare_digest(mac, _mac_of(body, key)) else None


def _mac_of(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC]


def _octets(token: str) -> bytes:
    try:
        if len(token) > _LONGEST or token.rstrip("=") != token:
            return b""
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
