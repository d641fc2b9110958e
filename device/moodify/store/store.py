"""What is written: events together with what is to be sent of them, and the end of old ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from moodify.sqlite import transaction
from moodify.store import aside, bounding, reserve
from moodify.store.database import Connected, mapped
from moodify.store.merging import Span
from moodify.store.messages import batches, dumps
from moodify.store.outbox import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moodify.types import Event

#: Old events are deleted so many at a time, so that no transaction is long.
RETAIN_CHUNK = 500
#: No event is older than Moodify itself: an earlier date was written by a clock that did not know the time yet.
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
#: One whose date lies further ahead was written by a clock that was wrong.
AHEAD = timedelta(days=1)
#: Unsent messages that have become old are merged in so many short transactions at most; the rest the next time.
AGE_STEPS = 8
#: They are merged once the oldest is late by so much, and then all at once: one day's in a few commits.
AGE_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What the outbox holds, and what it could not hold, since it was made."""

    waiting: int
    """Messages that wait to be sent."""
    merged: int
    """Events that are told only as part of a summary."""
    lost: int
    """Events that were dropped unsent, in summaries or not."""
    refused: int
    """Messages that were set aside because the broker takes none like them; a next start offers them again."""


def stamp(at: datetime) -> str:
    """Return a date as the database keeps it: UTC to the millisecond, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


class Store(Connected):
    """The writer's connection. Belongs to one thread."""

    def __init__(self, path: Path, *, outbox_bytes: int = 16_000_000, outbox_days: int = 30) -> None:
        """Open ``path``.

        Args:
            path: the prepared database.
            outbox_bytes: unsent messages have no more than so many together.
            outbox_days: older ones are merged into summaries.
        """
        super().__init__(path)
        self._outbox_bytes = outbox_bytes
        self._outbox_age = timedelta(days=outbox_days)

    def record(self, events: Sequence[Event], *, given_up: int = 0) -> None:
        """Keep events and what is to be sent of them in one transaction: all of it, or nothing.

        They become one outbox message (several where it would grow above 64 kB). Recording an event again does nothing,
        so it may be repeated after StoreBusy. Where the outbox has no room, its oldest messages are merged into summaries
        by the hour, then by the day; where that is not enough the oldest are dropped, and their events counted as lost.

        Args:
            events: in the order in which they happened.
            given_up: how many others there were that nobody could hold any more: lost too.

        Raises:
            StoreBusy: locked or the disk is full; nothing was kept.
            StoreError: the database cannot be used.
        """
        rows = [(event.id, event.kind.value, stamp(event.at), dumps(dict(event.data)), dumps(event.as_json())) for event in events]
        with mapped(self._path), transaction(self._db):
            new = [item for *row, item in rows if self._db.execute("INSERT OR IGNORE INTO events (id, kind, at, data) VALUES (?, ?, ?, ?)", row).rowcount]
            for items in batches(new):
                self._db.execute("INSERT INTO outbox (items) VALUES (?)", [items])
            if given_up:
                self._db.execute("UPDATE outbox_state SET lost = lost + ?", [given_up])
            bounding.make_room(self._db, self._outbox_bytes, sum(map(len, new)))

    def retain(self, days: int, *, now: datetime) -> int:
        """Delete events older than ``days``, in short transactions, and what was set aside as long ago; return how many events. Unsent summaries stay.

        How old an event is follows from its date and from when it was recorded: one that came after a younger one is no older, whatever a clock
        that was wrong has written on it.

        Raises:
            StoreBusy: locked; some may be deleted already.
            StoreError: the database cannot be used.
        """
        oldest = now - timedelta(days=days)
        aside.forget(self._path.parent, oldest)
        with mapped(self._path):
            last = self._last_older_than(oldest, now)
        deleted = 0
        while last is not None:
            with mapped(self._path), transaction(self._db):
                chunk: int = self._db.execute("DELETE FROM events WHERE n IN (SELECT n FROM events WHERE n <= ? ORDER BY n LIMIT ?)", [last, RETAIN_CHUNK]).rowcount
            deleted += chunk
            if chunk < RETAIN_CHUNK:
                break
        return deleted

    def _last_older_than(self, oldest: datetime, now: datetime) -> int | None:
        """Return the number of the last event that is to go with all before it; None where none is."""
        before = stamp(oldest)
        # By n, not by the index over at (+at keeps SQLite from it): the first that is young enough stands near the beginning.
        young = self._db.execute("SELECT n FROM events WHERE +at >= ? AND +at < ? ORDER BY n LIMIT 1", [before, stamp(now + AHEAD)]).fetchone()
        old = self._db.execute("SELECT max(n) FROM events WHERE at >= ? AND at < ? AND n < ?", [stamp(FIRST), before, LARGEST if young is None else young[0]])
        last: int | None = old.fetchone()[0]
        return last

    def merge_old(self, *, now: datetime) -> None:
        """Merge unsent messages that have become too old, about once a day, in a few short transactions.

        Raises:
            StoreBusy: locked; some may be merged already.
            StoreError: the database cannot be used.
        """
        before = now - self._outbox_age
        with mapped(self._path):
            oldest = bounding.oldest_that_may_change(self._db)
        if oldest is None or oldest >= stamp(before - AGE_SLACK):
            return
        for _ in range(AGE_STEPS):
            with mapped(self._path), transaction(self._db):
                done = bounding.merge_step(self._db, Span.HOUR, before=stamp(before))
            if not done:
                return

    def make_room(self) -> bool:
        """Free the room that was kept for a full disk (:mod:`moodify.store.reserve`), where it is full; return whether there was any."""
        return reserve.give_up(self._path)

    def outbox(self) -> OutboxCounts:
        """Return how the outbox stands; quick.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        sql = """
            SELECT (SELECT count(*) FROM outbox WHERE refused IS NULL) AS waiting, merged, lost,
                   (SELECT count(*) FROM outbox WHERE refused IS NOT NULL) AS refused
            FROM outbox_state
        """
        with mapped(self._path):
            return OutboxCounts(**next(self._db.query(sql)))
