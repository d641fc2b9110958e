"""What is read: the events that are kept, and how much of everything there is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moodify.sqlite import mapped
from moodify.store.database import Connected
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """A reader's connection, for instance the page's. Belongs to one thread."""

    def recent(self, limit: int) -> list[Event]:
        """Return at most ``limit`` events, newest first.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            rows = list(self._db.query("SELECT id, kind, at, data FROM events ORDER BY n DESC LIMIT ?", [limit]))
        return [_event(row) for row in rows]

    def each(self) -> Iterator[Event]:
        """Give every event that is kept now, oldest first; what comes meanwhile is not among them. Raises as :meth:`recent`, at any of them."""
        with mapped(self._path):
            for row in self._db.query("SELECT id, kind, at, data FROM events ORDER BY n"):
                yield _event(row)

    def newest(self, kind: EventKind) -> Event | None:
        """Return the newest event of a kind, however many others came since; None where none is kept. Raises as :meth:`recent`."""
        with mapped(self._path):
            rows = list(self._db.query("SELECT id, kind, at, data FROM events WHERE kind = ? ORDER BY n DESC LIMIT 1", [kind.value]))
        return _event(rows[0]) if rows else None

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


def _event(row: dict[str, Any]) -> Event:
    return Event(row["id"], EventKind(row["kind"]), datetime.fromisoformat(row["at"]), json.loads(row["data"]))
