"""Alerts, whom to tell, and what is still to be told; the hub's :class:`moodify.hub.alerts.port.Desk`.

An alert and its messages are written in one transaction, so that a hub that dies in between neither forgets nor repeats. A message is claimed by one hub at a time.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from moodify.errors import CannotWork
from moodify.hub.alerts.port import Alert, Channel, ChannelKind, Delivery, What
from moodify.hub.alerts.rules import USUAL, Rule, RuleKind
from moodify.hub.database.alert_models import AlertChannelRow, AlertMessageRow, AlertRow, AlertRuleRow
from moodify.hub.database.models import DeviceRow
from moodify.hub.database.values import is_name, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from moodify.hub.database.engine import Transactions

#: A household has a few; each alert is sent to all of them.
CHANNELS_AT_MOST = 20
#: Characters of a message's or an error's text.
_TEXT_AT_MOST = 1000


class Alerts:
    """Alerts, and their messages."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def rules(self) -> Mapping[RuleKind, Rule]:
        """Return every rule as it holds."""
        with self._transactions.reading() as connection:
            found = {row.kind: Rule(RuleKind(row.kind), enabled=row.enabled, limit=row.bound) for row in connection.execute(select(AlertRuleRow))}
        return {kind: found.get(kind, usual) for kind, usual in USUAL.items()}

    def set_rule(self, rule: Rule, now: datetime) -> None:
        """Keep a rule; where it is switched off, its alerts end without a word."""
        values = {"enabled": rule.enabled, "bound": rule.limit, "updated": now}
        with self._transactions.writing() as connection:
            upsert = _insert(connection, AlertRuleRow).values(kind=rule.kind.value, **values)
            connection.execute(upsert.on_conflict_do_update(index_elements=["kind"], set_=values))
            if not rule.enabled:
                _withdraw(connection, AlertRow.rule == rule.kind.value, now)

    def channels(self) -> Sequence[Channel]:
        """Return where alerts go, oldest first."""
        with self._transactions.reading() as connection:
            return [_channel(row, _last(connection, row.n)) for row in connection.execute(select(AlertChannelRow).order_by(AlertChannelRow.n)).all()]

    def add_channel(self, kind: ChannelKind, target: str, secret: str | None, now: datetime) -> Channel:
        """Add one; the same target again returns the one that is there.

        Raises:
            CannotWork: there are as many as there may be.
        """
        same = select(AlertChannelRow).where(AlertChannelRow.kind == kind.value, AlertChannelRow.target == target)
        with self._transactions.writing() as connection:
            row = connection.execute(same).first()
            if row is None:
                if connection.execute(select(func.count()).select_from(AlertChannelRow)).scalar_one() >= CHANNELS_AT_MOST:
                    raise CannotWork(f"alerts go to {CHANNELS_AT_MOST} addresses already; remove one first")
                values = {"id": str(uuid.uuid4()), "kind": kind.value, "target": target, "secret": secret, "created": now}
                connection.execute(_insert(connection, AlertChannelRow).values(values).on_conflict_do_nothing())
                row = connection.execute(same).one()
            return _channel(row, _last(connection, row.n))

    def remove_channel(self, channel_id: str) -> bool:
        """Remove one, and what was still to go there; return whether it was there."""
        if not is_name(channel_id):
            return False
        with self._transactions.writing() as connection:
            return connection.execute(delete(AlertChannelRow).where(AlertChannelRow.id == channel_id)).rowcount == 1

    def test(self, channel_id: str, now: datetime) -> str | None:
        """Have a test message sent there; return its id, None where there is no such channel."""
        if not is_name(channel_id):
            return None
        with self._transactions.writing() as connection:
            channel = connection.scalar(select(AlertChannelRow.n).where(AlertChannelRow.id == channel_id))
            return None if channel is None else _write(connection, [channel], None, What.TEST, now)[0]

    def outcome(self, delivery_id: str) -> tuple[bool, str | None] | None:
        """Return whether a message is over and why it was not taken; None where there is none."""
        if not is_name(delivery_id):
            return None
        with self._transactions.reading() as connection:
            row = connection.execute(select(AlertMessageRow.done, AlertMessageRow.error).where(AlertMessageRow.id == delivery_id)).first()
        return None if row is None else (row.done is not None, row.error)

    def open(self) -> Sequence[Alert]:
        """Return what is wrong now, oldest first."""
        return self._alerts(_ALERTS.where(AlertRow.cleared.is_(None)).order_by(AlertRow.n))

    def recent(self, limit: int) -> Sequence[Alert]:
        """Return the newest alerts that are over, newest first."""
        return self._alerts(_ALERTS.where(AlertRow.cleared.is_not(None)).order_by(AlertRow.n.desc()).limit(limit))

    def raise_alert(self, device: str, rule: RuleKind, words: str, now: datetime) -> bool:
        """Keep an alert and a message for each channel, in one transaction; False where that was done already, by whichever hub."""
        values = {"device": device, "rule": rule.value, "raised": now, "words": readable(words, at_most=_TEXT_AT_MOST)}
        with self._transactions.writing() as connection:
            # On PostgreSQL held until the end: it may just be being revoked or erased.
            enrolled = select(DeviceRow.id).where(DeviceRow.id == device, DeviceRow.revoked.is_(None)).with_for_update(read=True, key_share=True)
            if connection.scalar(enrolled) is None:
                return False
            alert = connection.scalar(_insert(connection, AlertRow).values(values).on_conflict_do_nothing().returning(AlertRow.n))
            if alert is None:
                return False
            _write(connection, connection.scalars(select(AlertChannelRow.n).order_by(AlertChannelRow.n)).all(), alert, What.RAISED, now)
        return True

    def clear(self, device: str, rule: RuleKind, words: str, now: datetime) -> bool:
        """End an alert with a message for each channel that was to be told of it; False where none is open."""
        ended = {"cleared": now, "cleared_words": readable(words, at_most=_TEXT_AT_MOST)}
        with self._transactions.writing() as connection:
            which = (AlertRow.device == device, AlertRow.rule == rule.value, AlertRow.cleared.is_(None))
            alert = connection.scalar(update(AlertRow).where(*which).values(ended).returning(AlertRow.n))
            if alert is None:
                return False
            # Who was never told that something is wrong need not hear that it is over.
            told = select(AlertMessageRow.channel).where(AlertMessageRow.alert == alert, AlertMessageRow.what == What.RAISED.value)
            reached = told.where(or_(AlertMessageRow.done.is_(None), AlertMessageRow.error.is_(None))).order_by(AlertMessageRow.channel)
            _write(connection, connection.scalars(reached).all(), alert, What.CLEARED, now)
        return True

    def withdraw(self, device: str, now: datetime) -> None:
        """End a device's alerts without a word."""
        with self._transactions.writing() as connection:
            _withdraw(connection, AlertRow.device == device, now)

    def claim(self, now: datetime, lease: timedelta) -> Delivery | None:
        """Return a message that is due, for whoever asks alone until ``lease`` is over; the all-clear only after its alert."""
        earlier = aliased(AlertMessageRow)
        before = exists().where(earlier.alert == AlertMessageRow.alert, earlier.channel == AlertMessageRow.channel, earlier.n < AlertMessageRow.n, earlier.done.is_(None))
        free = or_(AlertMessageRow.claimed.is_(None), AlertMessageRow.claimed <= now)
        due = select(AlertMessageRow.n).where(AlertMessageRow.done.is_(None), AlertMessageRow.due <= now, free, ~before).order_by(AlertMessageRow.n).limit(1)
        with self._transactions.reading() as connection:
            # Nearly always there is none, and nobody has to wait for a write.
            if connection.scalar(due) is None:
                return None
        with self._transactions.writing() as connection:
            n = connection.scalar(due.with_for_update(skip_locked=True))
            if n is None:
                return None
            connection.execute(update(AlertMessageRow).where(AlertMessageRow.n == n).values(claimed=now + lease))
            return _delivery(connection, n)

    def sent(self, delivery_id: str, now: datetime) -> None:
        """Note that a message got there."""
        self._note(delivery_id, {"done": now, "claimed": None, "error": None})

    def put_off(self, delivery_id: str, error: str, until: datetime | None, now: datetime) -> None:
        """Note that a message did not get there; it is tried again at ``until``, or given up where that is None."""
        later = {"done": now} if until is None else {"due": until}
        self._note(delivery_id, {"claimed": None, "error": readable(error, at_most=_TEXT_AT_MOST), **later})

    def forget(self, before: datetime) -> None:
        """Delete what was over before then."""
        with self._transactions.writing() as connection:
            connection.execute(delete(AlertRow).where(AlertRow.cleared < before))
            connection.execute(delete(AlertMessageRow).where(AlertMessageRow.alert.is_(None), AlertMessageRow.written < before))

    def _note(self, delivery_id: str, values: Mapping[str, Any]) -> None:
        with self._transactions.writing() as connection:
            connection.execute(update(AlertMessageRow).where(AlertMessageRow.id == delivery_id).values(tries=AlertMessageRow.tries + 1, **values))

    def _alerts(self, query: Select[*tuple[Any, ...]]) -> list[Alert]:
        with self._transactions.reading() as connection:
            return [_alert(row) for row in connection.execute(query)]


_ALERTS = select(AlertRow, DeviceRow.name).join(DeviceRow, DeviceRow.id == AlertRow.device)


def _insert(connection: Connection, table: type[AlertRuleRow | AlertChannelRow | AlertRow]) -> postgresql.Insert | sqlite.Insert:
    # Both say the same in the same words, but SQLAlchemy has them apart.
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def _write(connection: Connection, channels: Sequence[int], alert: int | None, what: What, now: datetime) -> list[str]:
    ids = {str(uuid.uuid4()): channel for channel in channels}
    if ids:
        same = {"alert": alert, "what": what.value, "written": now, "due": now}
        connection.execute(insert(AlertMessageRow), [same | {"id": one, "channel": channel} for one, channel in ids.items()])
    return list(ids)


def _withdraw(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    ended = connection.scalars(update(AlertRow).where(which, AlertRow.cleared.is_(None)).values(cleared=now).returning(AlertRow.n)).all()
    if ended:
        connection.execute(delete(AlertMessageRow).where(AlertMessageRow.alert.in_(ended), AlertMessageRow.done.is_(None)))


def _last(connection: Connection, channel: int) -> tuple[datetime | None, str | None]:
    """Return when the newest message reached a channel, and why the newest that is over did not."""
    over = select(AlertMessageRow.done, AlertMessageRow.error).where(AlertMessageRow.channel == channel, AlertMessageRow.done.is_not(None)).order_by(AlertMessageRow.n.desc())
    newest = connection.execute(over.limit(1)).first()
    reached = connection.execute(over.where(AlertMessageRow.error.is_(None)).limit(1)).first()
    return None if reached is None else reached.done, None if newest is None else newest.error


def _delivery(connection: Connection, n: int) -> Delivery:
    message = connection.execute(select(AlertMessageRow).where(AlertMessageRow.n == n)).one()
    channel = connection.execute(select(AlertChannelRow).where(AlertChannelRow.n == message.channel)).one()
    alert = None if message.alert is None else connection.execute(_ALERTS.where(AlertRow.n == message.alert)).one()
    return Delivery(
        id=message.id,
        what=What(message.what),
        channel=_channel(channel, (None, None)),
        tries=message.tries,
        written=message.written,
        alert=None if alert is None else _alert(alert),
    )


def _channel(row: Row[*tuple[Any, ...]], last: tuple[datetime | None, str | None]) -> Channel:
    return Channel(row.id, ChannelKind(row.kind), row.target, row.secret, row.created, *last)


def _alert(row: Row[*tuple[Any, ...]]) -> Alert:
    return Alert(row.n, row.device, row.name, RuleKind(row.rule), row.raised, row.words, row.cleared, row.cleared_words)
