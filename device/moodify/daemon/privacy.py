"""Whether the camera is closed for privacy: by hand, or by the hours of the configuration. Pure: the time is passed in.

By hand is by a person, wherever that person was: at the button, on the page, at the terminal, or far away.
What is done by hand outside those hours holds until it is undone by hand. What is done by hand within them holds until
the next of their times. A change to or from summer time between now and then is left out.

While the clock is known to be wrong any hour may be one of them: it counts as one, for a camera that stays closed harms nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodify.music.hours import is_within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time

    from moodify.config.model import PrivacyHours

#: Where a person may do it, as is said to a person: the origins of signals, and the command.
_WHERE = {
    "button": "at the button",
    "keys": "with a key of the terminal",
    "page": "from the page",
    "command": "by moodify privacy",
    "afar": "from afar",
    "damage": "because what was set before is damaged and can't be read",
}
#: No time of privacy hours is further away: what is kept says more only where the clock was wrong.
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ByHand:
    """What was done by hand; it survives a restart."""

    closed: bool = False
    """Until it is opened by hand."""
    opened_until: datetime | None = None
    """Open although privacy hours say closed, until this moment."""
    origin: str = ""
    """Where that was done, or ``damage`` where nobody knows; empty where the place is not known."""

    @property
    def where(self) -> str:
        """Where that was done, for a person."""
        return _WHERE.get(self.origin, "by hand")

    def as_json(self) -> Any:
        """Return it as it is kept."""
        return {"closed": self.closed, "opened_until": None if self.opened_until is None else self.opened_until.isoformat(), "origin": self.origin}

    @classmethod
    def from_json(cls, kept: Any) -> ByHand:
        """Read it; what can't be read counts as closed, for that harms nobody."""
        match kept:
            case None | False:
                return cls()
            case {"closed": bool(closed), "opened_until": None, "origin": str(origin)}:
                return cls(closed=closed, origin=origin)
            case {"closed": bool(closed), "opened_until": str(text)}:
                try:
                    until = datetime.fromisoformat(text)
                except ValueError:
                    return cls(closed=True)
                return cls(closed=closed, opened_until=until, origin=str(kept.get("origin", ""))) if until.tzinfo is not None else cls(closed=True)
        return cls(closed=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """How privacy stands at a moment."""

    on: bool
    why: str
    """For a person; empty where there is nothing to say."""


def standing(by_hand: ByHand, hours: Sequence[PrivacyHours], now: datetime, *, doubtful: bool = False) -> Standing:
    """Return how privacy stands.

    Args:
        by_hand: what was done by hand.
        hours: those of the configuration.
        now: with the local time zone.
        doubtful: whether the clock is known to be wrong.
    """
    if by_hand.closed:
        return Standing(on=True, why=f"turned on {by_hand.where}")
    if not _within(hours, now, doubtful=doubtful):
        return Standing(on=False, why="")
    until = next_time(hours, now)
    opened = by_hand.opened_until
    if opened is not None and now < opened <= now + _LONGEST:
        return Standing(on=False, why=f"turned off {by_hand.where} until {opened.astimezone(now.tzinfo):%H:%M}, though these are privacy hours")
    return Standing(on=True, why="until the clock is right, for privacy.hours go by it" if doubtful else f"until {until:%H:%M}, by privacy.hours")


def after(by_hand: ByHand, hours: Sequence[PrivacyHours], now: datetime, *, on: bool, origin: str, doubtful: bool = False) -> ByHand:
    """Return what was done by hand, once privacy was turned on or off so.

    Args:
        by_hand: what was done before.
        hours: those of the configuration.
        now: with the local time zone.
        on: what is wanted.
        origin: where: ``button``, ``keys``, ``page``, ``command`` or ``afar``.
        doubtful: whether the clock is known to be wrong.
    """
    if standing(by_hand, hours, now, doubtful=doubtful).on is on:
        return by_hand
    if not _within(hours, now, doubtful=doubtful):
        return ByHand(closed=True, origin=origin) if on else ByHand()
    return ByHand() if on else ByHand(opened_until=next_time(hours, now), origin=origin)


def next_time(hours: Sequence[PrivacyHours], now: datetime) -> datetime:
    """Return the next start or end. ``hours``: at least one. ``now``: with the local time zone."""
    return min(_next(edge, now) for each in hours for edge in (each.start, each.end))


def _within(hours: Sequence[PrivacyHours], now: datetime, *, doubtful: bool) -> bool:
    return any(doubtful or is_within(now.time(), each) for each in hours)


def _next(edge: time, now: datetime) -> datetime:
    today = datetime.combine(now.date(), edge, now.tzinfo)
    return today if today > now else today + timedelta(days=1)
