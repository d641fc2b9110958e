"""A browser that is signed in, and the dates of what ends by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from moodify.accounts.user import User

#: A session that nobody uses for so long is over.
SESSION_DAYS: Final = 30
#: Of one user; the one that was used least recently ends for a new one.
SESSIONS_AT_MOST: Final = 20
LABEL_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Life:
    """When something began, was used last, and ends: UTC."""

    began: datetime
    used: datetime
    ends: datetime

    def moved(self, by: timedelta) -> Life:
        """Return the same by a clock that was set by so much."""
        return Life(self.began + by, self.used + by, self.ends + by)

    def used_at(self, now: datetime) -> Life:
        """Return a session's life after a use."""
        return replace(self, used=now, ends=now + timedelta(days=SESSION_DAYS))


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: UUID
    user_id: UUID
    label: str
    """What a person knows it by, as ``Firefox on Android``."""
    life: Life
    token_hash: bytes = field(repr=False)
    """SHA-256 of the refresh token that may be used next; the token itself is nowhere but in the browser."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser is given when it signs in or renews its session."""

    user: User
    session_id: UUID
    access_token: str = field(repr=False)
    access_expires: datetime
    refresh_token: str = field(repr=False)
    refresh_expires: datetime
    browser_token: str | None = field(default=None, repr=False)
    """By which the browser is known from now on; None where nobody has just proven who they are."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks."""

    user: User
    session_id: UUID


def new_life(now: datetime) -> Life:
    """Return the life of a session that begins."""
    return Life(now, now, now + timedelta(days=SESSION_DAYS))


def shown(label: str) -> str:
    """Return a label as it can be kept and shown: one readable line, or ``a program``."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in label).split())
    return line[:LABEL_MAX] or "a program"
