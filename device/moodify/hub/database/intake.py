"""Where summaries are committed; the hub's :class:`moodify.hub.port.Intake`.

A message counts by its row (stream, number), which only one transaction can insert. On PostgreSQL, transactions that insert the same rows do so in
one order, and so wait for one another and never in a circle. Events are inserted by one transaction at a time: their numbers then grow in the
order in which they can be seen, and a reader who goes on from one misses none.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import TTLCache
from sqlalchemy import func, insert, select, text, tuple_
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

#: Of an event that can't be kept, so many characters are, and of several of one message so many in all.
_SHOWN = 4096
_ALL_SHOWN = 16_384
#: Of a device so many messages with such events are kept in quarantine; of more it is only said.
SET_ASIDE_AT_MOST = 1000
#: A device begins a stream with each new database, a few times in its life; messages of one more than these are passed over until old ones are gone.
STREAMS_AT_MOST = 100
#: What is wrong with a device is said once in this time, in seconds.
_SAID_EVERY_S = 600.0
_SAID_AT_MOST = 10_000
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
        self._said: TTLCache[tuple[str, str], None] = TTLCache(_SAID_AT_MOST, _SAID_EVERY_S)
        self._lock = threading.Lock()

    def commit(self, batch: Sequence[Summary], now: datetime) -> Committed:
        """Store a batch in one transaction: all of it or nothing; what is there already is absorbed.

        Events that can't be kept as such are set aside with the reason, and their message counts as committed. A message of a
        device that was never enrolled, or without a usable number, or of a stream too many, is passed over and not acknowledged.

        Raises:
            StoreBusy: locked, the disk is full, or the database is away; nothing was stored.
            StoreError: the database can't be used as it is.
        """
        usable = [summary for summary in batch if is_name(summary.device) and is_name(summary.epoch) and is_number(summary.seq)]
        with self._transactions.writing() as connection:
            # On PostgreSQL held until the end, so that nothing is stored of a device that is just being erased.
            known_of = select(DeviceRow.id).where(DeviceRow.id.in_({summary.device for summary in usable})).order_by(DeviceRow.id)
            enrolled = set(connection.scalars(known_of.with_for_update(read=True, key_share=True)))
            known = [summary for summary in usable if summary.device in enrolled]
            streams = _streams(connection, {(summary.device, summary.epoch) for summary in known})
            accepted = [summary for summary in known if (summary.device, summary.epoch) in streams]
            offered: dict[_Key, Summary] = {}
            for summary in accepted:
                stream = streams[summary.device, summary.epoch]
                if summary.seq > stream.floor:
                    offered.setdefault(_Key(stream.n, summary.seq), summary)
            new = _insert_messages(connection, offered, now)
            events, set_aside = _insert_events(connection, [(key, offered[key]) for key in new], now)
        for device, (count, reason) in set_aside.items():
            self._say(device, "aside", "%d events of %s can't be kept as such, and others like them may come: %s", count, device, reason)
        for device in {summary.device for summary in known if (summary.device, summary.epoch) not in streams}:
            self._say(device, "streams", "%s has begun more than %d streams; what it says under new ones is passed over until old ones are gone", device, STREAMS_AT_MOST)
        if len(known) < len(batch):
            self._say("", "unusable", "%d messages were passed over: their device is not enrolled, or they have no usable number", len(batch) - len(known))
        return Committed(_acks(accepted), events, len(accepted) - len(new))

    def _say(self, device: str, what: str, words: str, *values: object) -> None:
        with self._lock:
            if (device, what) in self._said:
                return
            self._said[device, what] = None
        logger.warning(words, *values)


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
    if missing:
        counted = select(StreamRow.device, func.count()).where(StreamRow.device.in_({device for device, _ in missing})).group_by(StreamRow.device)
        begun = Counter({row[0]: row[1] for row in connection.execute(counted)})
        missing = [one for one in missing if not _is_one_too_many(begun, one[0])]
    if not missing:
        return known
    connection.execute(_insert(connection, StreamRow), [{"device": device, "epoch": epoch} for device, epoch in missing])
    return found()


def _is_one_too_many(begun: Counter[str], device: str) -> bool:
    begun[device] += 1
    return begun[device] > STREAMS_AT_MOST


def _insert_messages(connection: Connection, keys: Iterable[_Key], now: datetime) -> list[_Key]:
    """Return those that were not there, in order."""
    rows = [{"stream": key.stream, "seq": key.seq, "received": now} for key in sorted(keys)]
    if not rows:
        return []
    statement = _insert(connection, MessageRow).returning(MessageRow.stream, MessageRow.seq)
    return sorted(_Key(*row) for row in connection.execute(statement, rows))


def _insert_events(connection: Connection, new: Sequence[tuple[_Key, Summary]], now: datetime) -> tuple[int, Mapping[str, tuple[int, str]]]:
    """Return how many events there are more than before, and of each device how many were set aside, and a reason.

    An event that came in another message already is there.
    """
    events: list[dict[str, Any]] = []
    set_aside: list[tuple[str, dict[str, Any]]] = []
    bad: dict[str, tuple[int, str]] = {}
    for key, summary in new:
        row = {"stream": key.stream, "seq": key.seq, "received": now}
        failed: list[tuple[int, str]] = []
        for position, item in enumerate(summary.items):
            try:
                events.append({"device": summary.device} | row | _event(item))
            except CannotWork as error:
                failed.append((position, str(error)))
        if failed:
            set_aside.append((summary.device, row | _set_aside(summary.items, failed)))
            bad[summary.device] = (bad.get(summary.device, (0, ""))[0] + len(failed), readable(failed[0][1], at_most=_SHOWN))
    _insert_set_aside(connection, set_aside)
    if not events:
        return 0, bad
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _EVENTS_LOCK})
    return len(connection.execute(_insert(connection, EventRow).returning(EventRow.n), events).all()), bad


def _set_aside(items: Sequence[Mapping[str, Any]], failed: Sequence[tuple[int, str]]) -> dict[str, Any]:
    position, reason = failed[0]
    if len(failed) == 1:
        return {"position": position, "reason": readable(reason, at_most=_SHOWN), "item": readable(_shown(items[position]), at_most=_SHOWN)}
    shown: list[str] = []
    left = _ALL_SHOWN
    for at, _ in failed:
        shown.append(_shown(items[at])[:_SHOWN])
        left -= len(shown[-1]) + 1
        if left < 0:
            break
    return {"position": position, "reason": readable(f"{len(failed)} events; of the first: {reason}", at_most=_SHOWN), "item": readable(f"[{','.join(shown)}]", at_most=_ALL_SHOWN)}


def _insert_set_aside(connection: Connection, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    if not rows:
        return
    counted = select(StreamRow.device, func.count()).join(QuarantineRow, QuarantineRow.stream == StreamRow.n).where(StreamRow.device.in_({device for device, _ in rows}))
    kept = Counter({row[0]: row[1] for row in connection.execute(counted.group_by(StreamRow.device))})
    kept_now: list[dict[str, Any]] = []
    for device, row in rows:
        kept[device] += 1
        if kept[device] <= SET_ASIDE_AT_MOST:
            kept_now.append(row)
    if kept_now:
        connection.execute(insert(QuarantineRow), kept_now)


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
