"""What was stored; the hub's :class:`moodify.hub.port.Events`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import aliased

from moodify.hub.database.models import EventRow, MessageRow, StreamRow
from moodify.hub.database.values import LARGEST, is_name
from moodify.hub.port import StoredEvent, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from moodify.hub.database.engine import Transactions

#: Of a stream's gaps so many are told, the newest.
_GAPS_AT_MOST = 100


class Events:
    """What was stored."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def events(self, device_id: str | None = None, *, kind: str | None = None, before: int | None = None, after: int | None = None, limit: int = 100) -> Sequence[StoredEvent]:
        """Return events: with ``after`` the next ones, ascending; else the newest (below ``before``), descending."""
        query = select(EventRow, StreamRow.epoch).join(StreamRow, StreamRow.n == EventRow.stream).limit(limit)
        for column, wanted in ((EventRow.device, device_id), (EventRow.kind, kind)):
            if wanted is not None:
                if not is_name(wanted):
                    return []
                query = query.where(column == wanted)
        if before is not None:
            query = query.where(EventRow.n < min(before, LARGEST))
        query = query.order_by(EventRow.n.desc()) if after is None else query.where(EventRow.n > min(after, LARGEST)).order_by(EventRow.n)
        with self._transactions.reading() as connection:
            return [StoredEvent(row.n, row.id, row.device, row.epoch, row.seq, row.kind, row.at, json.loads(row.data)) for row in connection.execute(query)]

    def streams(self, device_id: str) -> Sequence[Stream]:
        """Return a device's streams, the newest last; of each the newest 100 gaps."""
        if not is_name(device_id):
            return []
        with self._transactions.reading(snapshot=True) as connection:
            rows = connection.execute(select(StreamRow.n, StreamRow.epoch, StreamRow.floor, StreamRow.forgotten).where(StreamRow.device == device_id).order_by(StreamRow.n)).all()
            return [_stream(connection, *row) for row in rows]


def _stream(connection: Connection, n: int, epoch: str, floor: int, forgotten: int) -> Stream:
    count, above, last = connection.execute(
        select(func.count(), func.count().filter(MessageRow.seq > floor), func.coalesce(func.max(MessageRow.seq), floor)).where(MessageRow.stream == n)
    ).one()
    last = max(last, floor)
    # Most streams have none, and counting is much cheaper than looking for them.
    gaps = () if above == last - floor else _gaps(connection, n, floor)
    return Stream(epoch, last, count + forgotten, gaps)


def _gaps(connection: Connection, stream: int, floor: int) -> tuple[tuple[int, int], ...]:
    """Return the newest gaps above ``floor``, ascending: each ends before a number without a predecessor."""
    before = aliased(MessageRow)
    previous = select(func.max(before.seq)).where(before.stream == MessageRow.stream, before.seq < MessageRow.seq).scalar_subquery()
    follows = select(before.seq).where(before.stream == MessageRow.stream, before.seq == MessageRow.seq - 1).exists()
    query = select(type_coerce(func.coalesce(previous, floor), BigInteger), MessageRow.seq).where(MessageRow.stream == stream, MessageRow.seq > floor + 1, ~follows)
    newest = connection.execute(query.order_by(MessageRow.seq.desc()).limit(_GAPS_AT_MOST)).all()
    return tuple((max(row[0], floor) + 1, row[1] - 1) for row in reversed(newest))
