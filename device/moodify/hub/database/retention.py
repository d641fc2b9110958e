"""The end of what is old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, select, tuple_, update
from sqlalchemy.orm import aliased

from moodify.hub.database.models import CommandRow, EventRow, HubRow, MessageRow, QuarantineRow, StreamRow
from moodify.hub.port import CommandState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from moodify.hub.database.engine import Transactions

#: So many rows at a time, so that no transaction is long and a collector waits for none.
CHUNK = 500
#: A stream of which nothing was kept stays so long, in days: what is under way may still come.
EMPTY_DAYS = 1


def last_seen(transactions: Transactions) -> datetime | None:
    """Return when a hub last noted the time; None where none has.

    Raises:
        StoreBusy: locked or away.
        StoreError: the database can't be used.
    """
    with transactions.reading() as connection:
        return connection.execute(select(HubRow.seen)).scalar_one()


def note_seen(transactions: Transactions, now: datetime) -> None:
    """Note the time.

    Raises:
        StoreBusy: locked or away.
        StoreError: the database can't be used.
    """
    with transactions.writing() as connection:
        connection.execute(update(HubRow).values(seen=now))


def newest_received(transactions: Transactions) -> datetime | None:
    """Return when the newest of what is kept came; None where nothing is.

    Raises:
        StoreBusy: locked or away.
        StoreError: the database can't be used.
    """
    with transactions.reading() as connection:
        newest: list[datetime | None] = [connection.execute(select(func.max(table.received))).scalar_one() for table in (MessageRow, EventRow)]
    return max((one for one in newest if one is not None), default=None)


def retain(transactions: Transactions, days: int, now: datetime) -> int:
    """Delete what came more than ``days`` ago, in short transactions; return how many events that were. Devices and their keys stay.

    By the time of arrival, not by the device's word: its clock may have been wrong. A number that is forgotten counts as stored
    from then on, and so does what is below it and never came: all of that is older still.

    Raises:
        StoreBusy: locked or away; some may be deleted already.
        StoreError: the database can't be used.
    """
    before = now - timedelta(days=days)
    _in_chunks(transactions, lambda connection: _forget_messages(connection, before))
    _in_chunks(transactions, lambda connection: _delete(connection, select(QuarantineRow.n).where(QuarantineRow.received < before), QuarantineRow))
    answered = select(CommandRow.n).where(CommandRow.created < before, CommandRow.state != CommandState.WAITING.value)
    _in_chunks(transactions, lambda connection: _delete(connection, answered, CommandRow))
    events = _in_chunks(transactions, lambda connection: _delete(connection, select(EventRow.n).where(EventRow.received < before), EventRow))
    _forget_empty_streams(transactions, now - timedelta(days=EMPTY_DAYS))
    return events


def _in_chunks(transactions: Transactions, step: Callable[[Connection], int]) -> int:
    total = 0
    while True:
        with transactions.writing() as connection:
            done = step(connection)
        total += done
        if done < CHUNK:
            return total


def _delete(connection: Connection, which: Select[*tuple[Any, ...]], table: type[EventRow | QuarantineRow | CommandRow]) -> int:
    # Another hub on the same PostgreSQL may be at it too: what it has in hand is left to it.
    found = connection.scalars(which.limit(CHUNK).with_for_update(skip_locked=True)).all()
    return connection.execute(delete(table).where(table.n.in_(found))).rowcount if found else 0


def _forget_messages(connection: Connection, before: datetime) -> int:
    which = select(MessageRow.stream, MessageRow.seq).where(MessageRow.received < before).order_by(MessageRow.received).limit(CHUNK)
    found = sorted(tuple(row) for row in connection.execute(which.with_for_update(skip_locked=True)))
    for stream in sorted({stream for stream, _ in found}):
        seqs = [seq for of, seq in found if of == stream]
        floor = case((StreamRow.floor < max(seqs), max(seqs)), else_=StreamRow.floor)
        connection.execute(update(StreamRow).where(StreamRow.n == stream).values(floor=floor, forgotten=StreamRow.forgotten + len(seqs)))
    if found:
        connection.execute(delete(MessageRow).where(tuple_(MessageRow.stream, MessageRow.seq).in_(found)))
    return len(found)


def _forget_empty_streams(transactions: Transactions, before: datetime) -> None:
    """Delete streams of which nothing was kept and nothing came since ``before``, with their numbers; the newest of each device stays."""
    younger = aliased(StreamRow)
    is_newest = ~select(younger.n).where(younger.device == StreamRow.device, younger.n > StreamRow.n).exists()
    is_fresh = select(MessageRow.seq).where(MessageRow.stream == StreamRow.n, MessageRow.received >= before).exists()
    empty = select(StreamRow.n).where(~is_newest, ~is_fresh, StreamRow.n.not_in(select(EventRow.stream)), StreamRow.n.not_in(select(QuarantineRow.stream)))
    with transactions.reading() as connection:
        found = connection.scalars(empty).all()
    for at in range(0, len(found), CHUNK):
        with transactions.writing() as connection:
            # Something may have come since.
            which = select(StreamRow.n).where(StreamRow.n.in_(found[at : at + CHUNK]), ~is_fresh)
            still = connection.scalars(which.with_for_update(skip_locked=True)).all()
            connection.execute(delete(MessageRow).where(MessageRow.stream.in_(still)))
            connection.execute(delete(StreamRow).where(StreamRow.n.in_(still)))
