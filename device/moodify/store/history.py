"""What is read: the events that are kept, and how much of everything there is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moodify.store.database import Connected, mapped
from moodify.types import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How much the database holds."""

    events: int
    oldest: datetime | None
    newest: datetime | None
    unsent: int
    """Messages that wait for the broker."""
    refused: int
    """Messages set aside because the broker refused them."""
    lost: int
    """Events whose message was dropped unsent for want of room, since the outbox was made."""
    size_bytes: int


class History(Connected):
    """A reader's connection, for instance the page's. Belongs to one thread."""

    def recent(self, limit: int, *, kinds: Collection[EventKind] | None = None, before: str | None = None) -> list[Event]:
        """Return at most ``limit`` events, newest first, of some kinds or of all.

        ``before`` is the id of an event: only older ones are returned; where retention has deleted it there are none.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        wanted = [kind.value for kind in (EventKind if kinds is None else kinds)]
        sql = f"SELECT id, kind, at, data FROM events WHERE kind IN ({', '.join('?' * len(wanted))})"  # noqa: S608 - question marks
        parameters: list[Any] = [*wanted]
        if before is not None:
            sql += " AND n < (SELECT n FROM events WHERE id = ?)"
            parameters.append(before)
        sql += " ORDER BY n DESC LIMIT ?"
        parameters.append(limit)
        with mapped(self._path):
            return [Event(row["id"], EventKind(row["kind"]), datetime.fromisoformat(row["at"]), json.loads(row["data"])) for row in self._db.query(sql, parameters)]

    def status(self) -> StoreStatus:
        """Return how much there is of everything.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        sql = """
            SELECT (SELECT count(*) FROM events) AS events, (SELECT min(at) FROM events) AS oldest, (SELECT max(at) FROM events) AS newest,
                   (SELECT count(*) FROM outbox WHERE refused IS NULL) AS unsent, (SELECT count(*) FROM outbox WHERE refused IS NOT NULL) AS refused,
                   lost, (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS size_bytes
            FROM outbox_state
        """
        with mapped(self._path):
            row = next(self._db.query(sql))
        dates = {name: datetime.fromisoformat(row[name]) if row[name] is not None else None for name in ("oldest", "newest")}
        return StoreStatus(**{**row, **dates})
