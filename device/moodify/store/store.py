"""What is written: events together with their summaries, and the end of old ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from moodify.sqlite import mapped, transaction
from moodify.store.database import Connected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from moodify.types import Event

#: A message is closed before its items exceed so many bytes; an event above that travels alone.
MESSAGE_BYTES = 64 * 1024
#: Old events are deleted so many at a time, so that no transaction is long.
RETAIN_CHUNK = 500


def stamp(at: datetime) -> str:
    """Return a date as the database keeps it: UTC to the millisecond, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


class Store(Connected):
    """The writer's connection. Belongs to one thread."""

    def __init__(self, path: Path, *, outbox_max: int = 20_000) -> None:
        """Open ``path``, keeping unsent summaries of at most ``outbox_max`` sequence numbers."""
        super().__init__(path)
        self._outbox_max = outbox_max

    def record(self, events: Sequence[Event]) -> None:
        """Keep events and what is to be sent of them in one transaction: all of it, or nothing.

        Their summary is one outbox message (several where it would grow above 64 kB). Recording an
        event again does nothing, so it may be repeated after StoreBusy. Beyond the outbox's room the
        oldest messages are dropped and their events counted as lost.

        Raises:
            StoreBusy: locked or the disk is full; nothing was kept.
            StoreError: the database cannot be used.
        """
        rows = [(event.id, event.kind.value, stamp(event.at), _dumps(dict(event.data)), _dumps(event.as_json())) for event in events]
        with mapped(self._path), transaction(self._db):
            new = [item for *row, item in rows if self._db.execute("INSERT OR IGNORE INTO events (id, kind, at, data) VALUES (?, ?, ?, ?)", row).rowcount]
            for items in _batches(new):
                self._db.execute("INSERT INTO outbox (items) VALUES (?)", [items])
            self._bound_outbox()

    def retain(self, days: int, *, now: datetime) -> int:
        """Delete events older than ``days``, in short transactions; return how many. Unsent summaries stay.

        Raises:
            StoreBusy: locked; some may be deleted already.
            StoreError: the database cannot be used.
        """
        before = stamp(now - timedelta(days=days))
        deleted = 0
        while True:
            with mapped(self._path), transaction(self._db):
                chunk: int = self._db.execute("DELETE FROM events WHERE n IN (SELECT n FROM events WHERE at < ? LIMIT ?)", [before, RETAIN_CHUNK]).rowcount
            deleted += chunk
            if chunk < RETAIN_CHUNK:
                return deleted

    def _bound_outbox(self) -> None:
        # By number, not by count: it is free, and numbers have next to no gaps.
        last = self._db.execute("SELECT max(seq) FROM outbox").fetchone()[0] or 0
        beyond = [last - self._outbox_max]
        lost = self._db.execute("SELECT total(json_array_length(items)) FROM outbox WHERE seq <= ?", beyond).fetchone()[0]
        if lost:
            self._db.execute("DELETE FROM outbox WHERE seq <= ?", beyond)
            self._db.execute("UPDATE outbox_state SET lost = lost + ?", [int(lost)])


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _batches(items: Sequence[str]) -> Iterator[str]:
    batch: list[str] = []
    size = 0
    for item in items:
        length = len(item.encode())
        if batch and size + length > MESSAGE_BYTES:
            yield f"[{','.join(batch)}]"
            batch, size = [], 0
        batch.append(item)
        size += length + 1
    if batch:
        yield f"[{','.join(batch)}]"
