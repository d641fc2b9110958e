"""Many events said in few words: what the outbox keeps of those for which it has no room. Pure.

A summary stands for the events of one hour, or of one day, both UTC: then neither a move nor summer time makes two of one. How long
moods lasted is told by when they began: each mood event counts from its own time to the end of that mood, into the hour in which it began,
so that summaries can be merged again by adding them up.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Item = Mapping[str, Any]
    """An event as it stands in a message: :meth:`moodify.types.Event.as_json`."""


class Span(IntEnum):
    """What one summary stands for; 0 would be an event as it happened."""

    HOUR = 1
    DAY = 2


@dataclass(slots=True)
class _Sum:
    """What is known of one span."""

    first: datetime
    last: datetime
    events: Counter[str] = field(default_factory=Counter)
    moods: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds."""

    def as_event(self) -> Event:
        data = {"from": _stamp(self.first), "to": _stamp(self.last), "events": dict(self.events), "moods": {mood: round(s) for mood, s in self.moods.items()}}
        return Event(str(uuid.uuid4()), EventKind.SUMMARY, self.last, data)


@dataclass(slots=True)
class _Feeling:
    """A mood that has begun and whose end is not known yet."""

    mood: str
    since: datetime
    told_in: _Sum


def can_be_merged(item: object) -> bool:
    """Return whether something is an event or a summary as :func:`events_in` and :func:`merge` read it."""
    match item:
        case {"kind": EventKind.SUMMARY.value, "at": str(at), "data": {"from": str(first), "to": str(last), "events": dict(events), "moods": dict(moods)}}:
            return all(map(_is_date, (at, first, last))) and all(type(count) is int for count in events.values()) and all(type(s) in {int, float} for s in moods.values())
        case {"kind": str(kind), "at": str(at), "data": dict()}:
            return kind != EventKind.SUMMARY and _is_date(at)
    return False


def events_in(items: Iterable[Item]) -> int:
    """Return how many events items tell of: one each, and of a summary as many as it stands for."""
    return sum(sum(item["data"]["events"].values()) if _is_summary(item) else 1 for item in items)


def merge(items: Iterable[Item], span: Span, *, ahead: Iterable[Item] = ()) -> list[Event]:
    """Return the summaries of items, one for each span, oldest first.

    Args:
        items: events and summaries in the order in which they were noted.
        span: what one summary is to stand for.
        ahead: the events that come after; read only as far as the end of the last mood.
    """
    sums: dict[datetime, _Sum] = {}
    feeling: _Feeling | None = None
    noted = None
    for item in items:
        if _is_summary(item):
            _add_summary(sums, item["data"], span)
            continue
        at = _date(item["at"])
        feeling = _ended(feeling, item, at, noted)
        told_in = _of(sums, at, at, span)
        told_in.events[item["kind"]] += 1
        if (mood := _mood(item)) is not None:
            feeling = _Feeling(mood, at, told_in)
        noted = at
    rest = iter(ahead)
    while feeling is not None and (after := next(rest, None)) is not None:
        at = _date(after["at"])
        feeling = _ended(feeling, after, at, noted)
        noted = at
    if feeling is not None and noted is not None:
        _lasted(feeling, noted)
    return [sums[begin].as_event() for begin in sorted(sums)]


def _add_summary(sums: dict[datetime, _Sum], data: Mapping[str, Any], span: Span) -> None:
    into = _of(sums, _date(data["from"]), _date(data["to"]), span)
    into.events.update(data["events"])
    for mood, seconds in data["moods"].items():
        into.moods[mood] += seconds


def _of(sums: dict[datetime, _Sum], first: datetime, last: datetime, span: Span) -> _Sum:
    """Return the sum of the span in which something began, widened by it."""
    begin = first.replace(minute=0, second=0, microsecond=0) if span is Span.HOUR else first.replace(hour=0, minute=0, second=0, microsecond=0)
    found = sums.setdefault(begin, _Sum(first, last))
    found.first, found.last = min(found.first, first), max(found.last, last)
    return found


def _ended(feeling: _Feeling | None, item: Item, at: datetime, noted: datetime | None) -> _Feeling | None:
    """Return the mood that goes on after an event; where it ends, count how long it was."""
    if feeling is None:
        return None
    data = item["data"]
    match item["kind"]:
        case EventKind.MOOD:
            end = at
        case EventKind.PRESENCE if data.get("people", 0) is None:
            end = at
        case EventKind.CAMERA:
            # A camera that opens is a start: nobody looked since the last event before it, and the power may have been off.
            end = noted if data.get("state") == "ok" and noted is not None else at
        case _:
            return feeling
    _lasted(feeling, end)
    return None


def _lasted(feeling: _Feeling, until: datetime) -> None:
    # A clock that was set back makes no mood shorter than nothing.
    feeling.told_in.moods[feeling.mood] += max((until - feeling.since).total_seconds(), 0)


def _mood(item: Item) -> str | None:
    mood = item["data"].get("mood") if item["kind"] == EventKind.MOOD else None
    return mood if isinstance(mood, str) else None


def _is_summary(item: Item) -> bool:
    return bool(item["kind"] == EventKind.SUMMARY)


def _is_date(text: str) -> bool:
    try:
        _date(text)
    except (ValueError, OverflowError):
        return False
    return True


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
