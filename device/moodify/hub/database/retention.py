"""The end of what is old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, select, tuple_, update

from moodify.hub.database.models import CommandRow, EventRow, MessageRow, QuarantineRow, StreamRow
from moodify.hub.port import CommandState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from moodify.hub.database.engine import Transactions

#: So many rows at a time, so that no transaction is long and a collector waits for none.
CHUNK = 500


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
    return _in_chunks(transactions, lambda connection: _delete(connection, select(EventRow.n).where(EventRow.received < before), EventRow))


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
