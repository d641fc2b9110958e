"""What is looked back at: how a span of time felt, and which songs were under it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from moodify.store.database import DAMAGE, Connected, mapped, passed_over
from moodify.store.feeling import Feelings, Felt, Noticed, Unseen, Why
from moodify.store.hearing import Heard, Hearing
from moodify.store.history import event_of
from moodify.store.store import stamp
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A mood that began longer ago than this, and of which nothing was noted since, is not looked for.
LEAD: Final = timedelta(days=31)
#: A song that began longer ago than this is over.
_SONG: Final = timedelta(hours=1)

_TOLD: Final = {kind.value: kind for kind in (EventKind.MOOD, EventKind.PRESENCE, EventKind.CAMERA, EventKind.DECISION, EventKind.ORDER)}
#: Of the songs; what the rest tells is how it felt.
_OF_SONGS: Final = (EventKind.DECISION, EventKind.ORDER)
#: Half as long as ``json.loads``, which looks for blanks around it first: the store writes none.
_read: Final = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class LookedBack:
    """How a span of time was; everything in it lies between its two ends, in the order of time."""

    begins: datetime
    ends: datetime
    """Not after the moment of the look."""
    earliest: datetime | None
    """Of all that is kept; None where nothing is."""
    felt: tuple[Felt, ...]
    unseen: tuple[Unseen, ...]
    heard: tuple[Heard, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; dates are ISO 8601, UTC."""
        return {
            "from": stamp(self.begins),
            "to": stamp(self.ends),
            "earliest": None if self.earliest is None else stamp(self.earliest),
            "moods": [each.as_json() for each in self.felt],
            "unseen": [each.as_json() for each in self.unseen],
            "songs": [each.as_json() for each in self.heard],
        }


class LookingBack(Connected):
    """A reader's connection; damaged events are passed over. Belongs to one thread."""

    def between(self, begins: datetime, ends: datetime, *, now: datetime, silence_s: float, reasons: bool = True) -> LookedBack:
        """Return how it was from one moment to another.

        Args:
            begins: timezone-aware.
            ends: timezone-aware, later; what is still to come is cut off.
            now: the moment of the look.
            silence_s: nothing was running where no event of any kind was noted for longer.
            reasons: whether songs come with why they were chosen.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        ends = min(ends, now)
        with mapped(self._path):
            earliest = self._earliest()
            if ends <= begins:
                return LookedBack(begins, begins, earliest, (), (), ())
            feelings, hearing = self._folded(self._lead(begins), ends, silence_s)
        felt, unseen = feelings.between(begins, ends)
        return LookedBack(begins, ends, earliest, felt, tuple(_since(earliest, unseen)), hearing.between(begins, ends, reasons=reasons))

    def troubles(self, since: datetime, limit: int) -> list[Event]:
        """Return what camera, speaker and link said, and what was wrong with the machine, since a moment, newest first. Raises as :meth:`between`."""
        sql = """
            SELECT id, kind, at, data FROM events
            WHERE at >= ? AND (kind IN (?, ?, ?) OR (kind = ? AND CASE WHEN json_valid(data) THEN json_extract(data, '$.reasons') <> '[]' END))
            ORDER BY at DESC, n DESC LIMIT ?
        """
        kinds = [kind.value for kind in (EventKind.CAMERA, EventKind.SPEAKER, EventKind.LINK, EventKind.HEALTH)]
        with mapped(self._path):
            rows = self._db.execute(sql, [stamp(since), *kinds, limit]).fetchall()
        found: list[Event] = []
        for row in rows:
            with suppress(*DAMAGE):
                found.append(event_of(*row))
        passed_over(self._path, len(rows) - len(found))
        return found

    def _earliest(self) -> datetime | None:
        return self._first_date("SELECT at FROM events ORDER BY at", [])

    def _lead(self, begins: datetime) -> datetime:
        """Return from when on must be read to know how it was when the span begins."""
        sql = "SELECT at FROM events WHERE kind = ? AND at < ? AND at >= ? ORDER BY at DESC"
        found = self._first_date(sql, [EventKind.MOOD.value, stamp(begins), stamp(begins - LEAD)])
        return min(begins - _SONG, begins if found is None else found)

    def _first_date(self, sql: str, values: list[str]) -> datetime | None:
        for (at,) in self._db.execute(sql, values):
            with suppress(*DAMAGE):
                return _date(at)
        return None

    def _folded(self, begins: datetime, ends: datetime, silence_s: float) -> tuple[Feelings, Hearing]:
        """Return what was felt and heard from one moment to another."""
        feelings, hearing, damaged = Feelings(silence_s), Hearing(), 0
        silence, last = timedelta(seconds=silence_s), begins
        marks = ", ".join("?" for _ in _TOLD)
        sql = f"SELECT at, kind, data FROM events WHERE at >= ? AND at < ? AND kind IN ({marks}) ORDER BY at, n"  # noqa: S608 - question marks
        for row in self._db.execute(sql, [stamp(begins), stamp(ends), *_TOLD]).fetchall():
            try:
                noticed = _noticed(*row)
                if noticed.at - last > silence:
                    self._live(feelings, last, noticed.at)
                last = noticed.at
                if noticed.kind in _OF_SONGS:
                    feelings.alive(noticed.at)
                    hearing.take(noticed)
                else:
                    feelings.take(noticed)
            except DAMAGE:
                damaged += 1
        if ends - last > silence:
            self._live(feelings, last, ends)
        passed_over(self._path, damaged)
        return feelings, hearing

    def _live(self, feelings: Feelings, begins: datetime, ends: datetime) -> None:
        """Have it told that something was running between two moments: half of all events say no more, and their index is enough for that."""
        for (at,) in self._db.execute("SELECT at FROM events WHERE at >= ? AND at < ? ORDER BY at", [stamp(begins), stamp(ends)]):
            with suppress(*DAMAGE):
                feelings.alive(_date(at))


def _since(earliest: datetime | None, unseen: Iterable[Unseen]) -> Iterator[Unseen]:
    """Leave out what lies before the first event ever: nothing was off then, it had not begun."""
    for span in unseen:
        if earliest is None or span.begins >= earliest:
            yield span
        elif span.ends > earliest:
            yield replace(span, begins=earliest, why=Why.STARTING)


def _noticed(at: str, kind: str, data: str) -> Noticed:
    said, end = _read(data)
    if not isinstance(said, dict) or end != len(data):
        raise TypeError(data)
    return Noticed(_date(at), _TOLD[kind], said)


def _date(at: str) -> datetime:
    date = datetime.fromisoformat(at)
    return date if date.tzinfo is UTC else date.astimezone(UTC)
