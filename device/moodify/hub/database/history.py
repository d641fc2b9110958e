"""What was stored; the hub's :class:`moodify.hub.port.Events`."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from moodify.hub.database.models import EventRow, MessageRow, StreamRow
from moodify.hub.database.values import LARGEST, is_name
from moodify.hub.port import StoredEvent, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from moodify.hub.database.engine import Transactions

#: Of a stream's gaps so many are told, the newest.
_GAPS_AT_MOST = 100
#: Of a device so many streams are told, the newest.
_STREAMS_AT_MOST = 50


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
        """Return a device's newest 50 streams, the newest last; of each the newest 100 gaps."""
        if not is_name(device_id):
            return []
        newest = select(StreamRow).where(StreamRow.device == device_id).order_by(StreamRow.n.desc()).limit(_STREAMS_AT_MOST).subquery()
        above = func.count().filter(MessageRow.seq > newest.c.floor)
        columns = (newest.c.n, newest.c.epoch, newest.c.floor, newest.c.forgotten)
        totals = (func.count(MessageRow.seq).label("count"), above.label("above"), func.coalesce(func.max(MessageRow.seq), newest.c.floor).label("last"))
        query = select(*columns, *totals).outerjoin(MessageRow, MessageRow.stream == newest.c.n).group_by(*columns).order_by(newest.c.n)
        with self._transactions.reading(snapshot=True) as connection:
            rows = connection.execute(query).all()
            # Most streams have none, and counting is much cheaper than looking for them.
            gaps = _gaps(connection, [row.n for row in rows if row.above != max(row.last, row.floor) - row.floor])
        return [Stream(row.epoch, max(row.last, row.floor), row.count + row.forgotten, tuple(gaps.get(row.n, ()))) for row in rows]


def _gaps(connection: Connection, streams: Sequence[int]) -> Mapping[int, list[tuple[int, int]]]:
    """Return the newest gaps of streams above their floors, ascending: each ends before a number whose predecessor came not just before it."""
    if not streams:
        return {}
    before = func.lag(MessageRow.seq).over(partition_by=MessageRow.stream, order_by=MessageRow.seq)
    numbers = (
        select(MessageRow.stream, MessageRow.seq, func.coalesce(before, StreamRow.floor).label("before"))
        .join(StreamRow, StreamRow.n == MessageRow.stream)
        .where(MessageRow.stream.in_(streams), MessageRow.seq > StreamRow.floor)
        .subquery()
    )
    place = func.row_number().over(partition_by=numbers.c.stream, order_by=numbers.c.seq.desc()).label("place")
    placed = select(numbers, place).where(numbers.c.seq > numbers.c.before + 1).subquery()
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(select(placed).where(placed.c.place <= _GAPS_AT_MOST).order_by(placed.c.stream, placed.c.seq)):
        found[row.stream].append((row.before + 1, row.seq - 1))
    return found
