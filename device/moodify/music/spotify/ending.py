"""The day on which the sign-in ends, and the warning before it.

Spotify's refresh tokens live six months from the moment the owner authorised the app; refreshing does not extend that (Spotify's
developer blog, 2026-06-18). Nothing in an answer says when that was, so the date is kept with the tokens.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from moodify.errors import SignInNeeded

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Keys of a kept token, each an ISO 8601 date: when the owner agreed, and when Spotify refused to refresh it.
AUTHORISED_AT = "authorised_at"
REFUSED_AT = "refused_at"
TERM_MONTHS = 6
WARNING_DAYS = 21
_YEARS = range(2000, 9000)
#: What somebody must do whose sign-in has ended, or does not do.
SIGN_IN = "sign in again with: moodify spotify login"


class Tokens(Protocol):
    """Where a sign-in is kept."""

    def get_cached_token(self) -> dict[str, Any]:
        """Return the newest tokens; SignInNeeded where there are none."""


def utc_now() -> datetime:
    """Return the wall clock's time, in UTC."""
    return datetime.now(UTC)


def date_of(token: Mapping[str, Any], key: str) -> datetime | None:
    """Return a date of a token; None where an earlier version kept none, or something else stands there."""
    try:
        at = datetime.fromisoformat(token[key])
    except (KeyError, TypeError, ValueError):
        return None
    # Beyond these, what is reckoned from it or its local time is no date any more.
    if at.year not in _YEARS:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def end_of(token: Mapping[str, Any]) -> datetime | None:
    """Return when a token's term is over; None where it is not known when it began."""
    begun = date_of(token, AUTHORISED_AT)
    if begun is None:
        return None
    year, month = divmod(begun.year * 12 + begun.month - 1 + TERM_MONTHS, 12)
    return begun.replace(year=year, month=month + 1, day=min(begun.day, monthrange(year, month + 1)[1]))


def days_until(end: datetime, now: datetime) -> int:
    """Return how many midnights, local time, lie between; negative where it is over."""
    return (end.astimezone().date() - now.astimezone().date()).days


def when(end: datetime, now: datetime) -> str:
    """Return a day for a person: ``on 2027-05-21, in 12 days``."""
    days = days_until(end, now)
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, f"in {days} days" if days > 0 else f"{-days} days ago")
    return f"on {end.astimezone().date().isoformat()}, {near}"


def notice_of(token: Mapping[str, Any], now: datetime) -> str | None:
    """Return what a person should know of a sign-in's end; None while it is more than :data:`WARNING_DAYS` days away."""
    if (refused := date_of(token, REFUSED_AT)) is not None:
        return f"Spotify has not taken the sign-in since {refused.astimezone().date().isoformat()}; {SIGN_IN}"
    end = end_of(token)
    if end is None:
        return f"it is not known when the Spotify sign-in ends; to know it, {SIGN_IN}"
    if end <= now:
        return f"the Spotify sign-in was to end {when(end, now)}; {SIGN_IN}"
    return f"the Spotify sign-in ends {when(end, now)}; {SIGN_IN}" if days_until(end, now) <= WARNING_DAYS else None


def notice_of_ending(tokens: Tokens, now: datetime) -> str | None:
    """Return :func:`notice_of` for what is kept now, or that nothing is. No request is made."""
    try:
        token = tokens.get_cached_token()
    except SignInNeeded as error:
        return str(error)
    return notice_of(token, now)
