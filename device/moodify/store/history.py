"""What is read: the events that are kept, and how much of everything there is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moodify.store.database import DAMAGE, Connected, mapped, passed_over
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How much the database holds."""

    events: int
    unsent: int
    """Messages that wait for the broker."""
    refused: int
    """Messages set aside because the broker refused them."""
    lost: int
    """Events that were dropped unsent for want of room, since the outbox was made."""
    merged: int
    """Events that are told only as part of a summary, for want of room."""


class History(Connected):
    """A reader's connection, for instance the page's; damaged events are passed over. Belongs to one thread."""

    def recent(self, limit: int) -> list[Event]:
        """Return at most ``limit`` events, newest first.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            rows = list(self._db.query("SELECT id, kind, at, data FROM events ORDER BY n DESC LIMIT ?", [limit]))
        return list(self._events(rows))

    def each(self) -> Iterator[Event]:
        """Give every event that is kept now, oldest first; what comes meanwhile is not among them. Raises as :meth:`recent`, at any of them."""
        with mapped(self._path):
            yield from self._events(self._db.query("SELECT id, kind, at, data FROM events ORDER BY n"))

    def newest(self, kind: EventKind) -> Event | None:
        """Return the newest event of a kind, however many others came since; None where none is kept. Raises as :meth:`recent`."""
        with mapped(self._path):
            return next(self._events(self._db.query("SELECT id, kind, at, data FROM events WHERE kind = ? ORDER BY n DESC", [kind.value])), None)

    def status(self) -> StoreStatus:
        """Return how much there is of everything.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        sql = """
            SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM outbox WHERE refused IS NULL) AS unsent,
                   (SELECT count(*) FROM outbox WHERE refused IS NOT NULL) AS refused
        """
        with mapped(self._path):
            # Whole: a look may come before the first start after an update, which brings the columns up to date.
            state = next(self._db.query("SELECT * FROM outbox_state"))
            return StoreStatus(**next(self._db.query(sql)), lost=state["lost"], merged=state.get("merged", 0))

    def _events(self, rows: Iterable[dict[str, Any]]) -> Iterator[Event]:
        damaged = 0
        for row in rows:
            try:
                event = event_of(row["id"], row["kind"], row["at"], row["data"])
            except DAMAGE:
                damaged += 1
            else:
                yield event
        passed_over(self._path, damaged)


def event_of(event_id: str, kind: str, at: str, data: str) -> Event:
    """Return a row's event; raises one of :data:`~moodify.store.database.DAMAGE` where it is none."""
    said = json.loads(data)
    if not isinstance(said, dict):
        raise TypeError(data)
    return Event(event_id, EventKind(kind), datetime.fromisoformat(at).astimezone(UTC), said)
