"""Keeps the outbox within its bytes: what is oldest is merged, and only where that is not enough, dropped.

Everything here runs within the writer's transaction, so that it costs no commit of its own. One step takes so many messages at once that
the next some hundred records find room.
"""

from __future__ import annotations

import json
import logging
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from moodify.store.merging import Span, can_be_merged, events_in, merge
from moodify.store.messages import batches, dumps
from moodify.types import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlite_utils import Database

logger = logging.getLogger(__name__)

#: So many of the oldest messages may have been offered (:data:`moodify.cloud.port.OFFERED_AT_MOST`): they never change.
OFFERED_AT_MOST = 100
#: One step merges messages of about so many bytes.
STEP_BYTES = 64 * 1024
#: In a small outbox a step takes no more than this share, so that what is newest stays as it happened.
STEPS_AT_LEAST = 8
#: A record that finds the outbox over its bound (an owner has just lowered it) makes up for no more than so many bytes beside its own; the next one goes on.
ARREARS_BYTES = 4 * STEP_BYTES
#: A message of summaries is added to until it has so many bytes: it is written anew each time.
SUMMARIES_BYTES = 8 * 1024
#: How many messages are read ahead to find where a mood ends.
LOOK_AHEAD = 200

_WAITING = "SELECT seq, items FROM outbox WHERE refused IS NULL AND level = ? AND seq > ? ORDER BY seq"


def make_room(db: Database, most_bytes: int, brought_bytes: int) -> None:
    """Bring the outbox down to ``most_bytes``, after a record that brought ``brought_bytes``."""
    work = ARREARS_BYTES + 4 * brought_bytes
    step_bytes = min(STEP_BYTES, most_bytes // STEPS_AT_LEAST)
    while work > 0 and _bytes(db) > most_bytes:
        work -= _drop_refused(db) or merge_step(db, Span.HOUR, step_bytes) or merge_step(db, Span.DAY, step_bytes) or _drop_oldest(db)


def merge_step(db: Database, span: Span, step_bytes: int = STEP_BYTES, *, before: str | None = None) -> int:
    """Merge the oldest messages that may change into summaries at the end of the queue; return how many bytes they had, 0 where there are none.

    Args:
        db: in a transaction.
        span: hours merge what happened, days merge hours.
        step_bytes: about so much is merged.
        before: only messages whose last event is older than this date, as the database writes it.
    """
    protected = _last_protected(db)
    if protected is None:
        return 0
    rows = db.execute(_WAITING, [span - 1, protected])
    taken: list[tuple[int, list[Mapping[str, Any]]]] = []
    size, damaged, rest = 0, 0, list[Any]()
    while size < step_bytes and (row := rows.fetchone()) is not None:
        items, odd = _read(row[1])
        if before is not None and items and items[-1]["at"] >= before:
            rest = items
            break
        taken.append((row[0], items))
        size += len(row[1])
        damaged += odd
    if not taken:
        return 0
    open_seq, summaries, odd = _open_summaries(db, span, protected)
    items = [item for _, message in taken for item in message]
    ahead = chain(rest, (item for _, text in islice(rows, LOOK_AHEAD) for item in _items(text)))
    merged = merge([*summaries, *items], span, ahead=ahead)
    rows.close()
    _delete(db, [seq for seq, _ in taken] + [seq for seq in [open_seq] if seq is not None])
    for batch in batches([dumps(event.as_json()) for event in merged]):
        db.execute("INSERT INTO outbox (items, level) VALUES (?, ?)", [batch, span])
    if span is Span.HOUR:
        db.execute("UPDATE outbox_state SET merged = merged + ?", [len(items)])
    _count_damaged(db, damaged + odd)
    return size


def oldest_that_may_change(db: Database) -> str | None:
    """Return the date of the last event of the oldest message that may be merged by the hour; None where there is none."""
    protected = _last_protected(db)
    row = None if protected is None else db.execute(f"{_WAITING} LIMIT 1", [0, protected]).fetchone()
    if row is None:
        return None
    items = _items(row[1])
    # One that can't be read is as old as can be: it goes with the next step.
    return str(items[-1]["at"]) if items else ""


def _drop_refused(db: Database) -> int:
    """Drop the oldest message that a broker refused, and that can't be sent anyway; return its bytes, 0 where there is none."""
    row = db.execute("SELECT seq, items FROM outbox WHERE refused IS NOT NULL ORDER BY seq LIMIT 1").fetchone()
    return 0 if row is None else _drop(db, *row)


def _drop_oldest(db: Database) -> int:
    return _drop(db, *db.execute("SELECT seq, items FROM outbox ORDER BY seq LIMIT 1").fetchone())


def _drop(db: Database, seq: int, text: str) -> int:
    items, damaged = _read(text)
    events = events_in(items)
    summarised = events_in(item for item in items if item["kind"] == EventKind.SUMMARY)
    _delete(db, [seq])
    db.execute("UPDATE outbox_state SET lost = lost + ?, merged = merged - ?", [events, summarised])
    _count_damaged(db, damaged)
    return len(text)


def _open_summaries(db: Database, span: Span, protected: int) -> tuple[int | None, list[Mapping[str, Any]], int]:
    """Return the newest message of summaries that may still be added to, so that an hour that is merged in two steps is one summary."""
    row = db.execute(f"{_WAITING} DESC LIMIT 1", [span, protected]).fetchone()
    return (None, [], 0) if row is None or len(row[1]) > SUMMARIES_BYTES else (row[0], *_read(row[1]))


def _items(text: str) -> list[Mapping[str, Any]]:
    return _read(text)[0]


def _read(text: str) -> tuple[list[Mapping[str, Any]], int]:
    """Return a message's items, and how many more it has that no Moodify has written: a card may have tipped a bit. Of one that can't be read that is 1, for nobody knows."""
    try:
        items = json.loads(text)
        sound = [item for item in items if can_be_merged(item)]
    except (ValueError, TypeError, RecursionError):
        return [], 1
    return sound, len(items) - len(sound)


def _count_damaged(db: Database, events: int) -> None:
    if events:
        logger.warning("%s events that waited to be sent are damaged, and count as lost", events)
        db.execute("UPDATE outbox_state SET lost = lost + ?", [events])


def _last_protected(db: Database) -> int | None:
    """Return the number of the last message that may have been offered; None where all may have been."""
    row = db.execute("SELECT seq FROM outbox WHERE refused IS NULL ORDER BY seq LIMIT 1 OFFSET ?", [OFFERED_AT_MOST - 1]).fetchone()
    return None if row is None else int(row[0])


def _delete(db: Database, seqs: Sequence[int]) -> None:
    for seq in seqs:
        db.execute("DELETE FROM outbox WHERE seq = ?", [seq])


def _bytes(db: Database) -> int:
    return int(db.execute("SELECT bytes FROM outbox_state").fetchone()[0])
