"""Where summaries are committed; the hub's :class:`moodify.hub.port.Intake`.

A message counts by its row (stream, number), which only one transaction can insert. On PostgreSQL, transactions that insert the same rows do so in
one order, and so wait for one another and never in a circle. Events are inserted by one transaction at a time: their numbers then grow in the
order in which they can be seen, and a reader who goes on from one misses none.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from moodify.errors import CannotWork
from moodify.hub.database.models import DeviceRow, EventRow, MessageRow, QuarantineRow, StreamRow
from moodify.hub.database.values import as_json, is_name, is_number, moment, readable
from moodify.hub.port import Ack, Committed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from moodify.hub.database.engine import Transactions
    from moodify.hub.port import Summary

logger = logging.getLogger(__name__)

#: Of an event that can't be kept, so many characters are.
_SHOWN = 4096
#: Held by the transaction that inserts events (PostgreSQL's advisory lock of this number: "events" in ASCII).
_EVENTS_LOCK = 0x6576656E7473


class _Key(NamedTuple):
    stream: int
    seq: int


class Intake:
    """Where summaries are committed."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def commit(self, batch: Sequence[Summary], now: datetime) -> Committed:
        """Store a batch in one transaction: all of it or nothing; what is there already is absorbed.

        An event that can't be kept as one is set aside with the reason, and its message counts as committed. A message of a
        device that was never enrolled, or without a usable number, is passed over and not acknowledged.

        Raises:
            StoreBusy: locked, the disk is full, or the database is away; nothing was stored.
            StoreError: the database can't be used as it is.
        """
        usable = [summary for summary in batch if is_name(summary.device) and is_name(summary.epoch) and is_number(summary.seq)]
        with self._transactions.writing() as connection:
            enrolled = set(connection.scalars(select(DeviceRow.id).where(DeviceRow.id.in_({summary.device for summary in usable}))))
            accepted = [summary for summary in usable if summary.device in enrolled]
            streams = _streams(connection, {(summary.device, summary.epoch) for summary in accepted})
            offered: dict[_Key, Summary] = {}
            for summary in accepted:
                stream = streams[summary.device, summary.epoch]
                if summary.seq > stream.floor:
                    offered.setdefault(_Key(stream.n, summary.seq), summary)
            new = _insert_messages(connection, offered, now)
            events = _insert_events(connection, [(key, offered[key]) for key in new], now)
        if len(accepted) < len(batch):
            logger.warning("%d messages were passed over: their device is not enrolled, or they have no usable number", len(batch) - len(accepted))
        return Committed(_acks(accepted), events, len(accepted) - len(new))


class _Stream(NamedTuple):
    n: int
    floor: int


def _insert(connection: Connection, table: type[MessageRow | EventRow | StreamRow]) -> postgresql.Insert | sqlite.Insert:
    # Both say the same in the same words, but SQLAlchemy has them apart.
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table).on_conflict_do_nothing()


def _streams(connection: Connection, wanted: set[tuple[str, str]]) -> Mapping[tuple[str, str], _Stream]:
    query = select(StreamRow.device, StreamRow.epoch, StreamRow.n, StreamRow.floor).where(tuple_(StreamRow.device, StreamRow.epoch).in_(sorted(wanted)))

    def found() -> dict[tuple[str, str], _Stream]:
        return {(row.device, row.epoch): _Stream(row.n, row.floor) for row in connection.execute(query)}

    known = found()
    missing = sorted(wanted - known.keys())
    if not missing:
        return known
    connection.execute(_insert(connection, StreamRow), [{"device": device, "epoch": epoch} for device, epoch in missing])
    return found()


def _insert_messages(connection: Connection, keys: Iterable[_Key], now: datetime) -> list[_Key]:
    """Return those that were not there, in order."""
    rows = [{"stream": key.stream, "seq": key.seq, "received": now} for key in sorted(keys)]
    if not rows:
        return []
    statement = _insert(connection, MessageRow).returning(MessageRow.stream, MessageRow.seq)
    return sorted(_Key(*row) for row in connection.execute(statement, rows))


def _insert_events(connection: Connection, new: Sequence[tuple[_Key, Summary]], now: datetime) -> int:
    """Return how many events there are more than before; one that came in another message already is there."""
    events: list[dict[str, Any]] = []
    set_aside: list[dict[str, Any]] = []
    for key, summary in new:
        for position, item in enumerate(summary.items):
            row = {"stream": key.stream, "seq": key.seq, "received": now}
            try:
                events.append({"device": summary.device} | row | _event(item))
            except CannotWork as error:
                set_aside.append(row | {"position": position, "reason": readable(str(error), at_most=_SHOWN), "item": readable(_shown(item), at_most=_SHOWN)})
                logger.warning("an event of %s was set aside: %s", summary.device, error)
    if set_aside:
        connection.execute(insert(QuarantineRow), set_aside)
    if not events:
        return 0
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _EVENTS_LOCK})
    return len(connection.execute(_insert(connection, EventRow).returning(EventRow.n), events).all())


def _event(item: Mapping[str, Any]) -> dict[str, Any]:
    match item:
        case {"id": str(event_id), "kind": str(kind), "at": at, "data": dict(data)} if is_name(event_id) and is_name(kind):
            return {"id": event_id, "kind": kind, "at": moment(at), "data": as_json(data)}
    raise CannotWork("it is no event: id, kind, time and data are needed; update Moodify on the device")


def _acks(summaries: Iterable[Summary]) -> tuple[Ack, ...]:
    """Return one for each stream, of exactly these numbers."""
    numbers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for summary in summaries:
        numbers[summary.device, summary.epoch].add(summary.seq)
    return tuple(Ack(device, epoch, _ranges(seqs)) for (device, epoch), seqs in sorted(numbers.items()))


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def _shown(item: Mapping[str, Any]) -> str:
    try:
        return json.dumps(item)
    except (ValueError, TypeError, RecursionError):
        return f"an event with {len(item)} values"
