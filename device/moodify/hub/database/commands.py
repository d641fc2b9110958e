"""Commands of the API, and their answers; the hub's :class:`moodify.hub.port.Commands`."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from moodify.errors import CannotWork, NoSuchDevice
from moodify.hub.database.models import CommandRow, DeviceRow
from moodify.hub.database.values import as_json, is_name, readable
from moodify.hub.port import CommandRecord, CommandState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from moodify.hub.database.engine import Transactions

#: Of the reason that a device gives, so many characters are kept.
_ERROR_AT_MOST = 1000


class Commands:
    """Commands, and their answers."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def add(self, device_id: str, name: str, args: Mapping[str, Any], now: datetime, *, expires_s: float) -> CommandRecord:
        """Keep a new command, waiting.

        Raises:
            CannotWork: the name is none, or the arguments are no JSON.
            NoSuchDevice: unknown or revoked.
        """
        if not is_name(name):
            raise CannotWork(f"{name!r} is no command's name")
        record = CommandRecord(str(uuid.uuid4()), device_id, name, dict(args), now, now + timedelta(seconds=expires_s), CommandState.WAITING)
        row = {"id": record.id, "device": device_id, "name": name, "args": as_json(args), "created": now, "expires": record.expires, "state": record.state.value, "data": "{}"}
        with self._transactions.writing() as connection:
            # On PostgreSQL held until the end: it may just be being erased.
            enrolled = select(DeviceRow.id).where(DeviceRow.id == device_id, DeviceRow.revoked.is_(None)).with_for_update(read=True, key_share=True)
            if not is_name(device_id) or connection.scalar(enrolled) is None:
                raise NoSuchDevice(f"no device {device_id!r} is enrolled; moodify hub devices lists those that are")
            connection.execute(insert(CommandRow).values(row))
        return record

    def waiting(self, now: datetime) -> Sequence[CommandRecord]:
        """Return what is to be offered, oldest first; what has expired becomes so."""
        with self._transactions.reading() as connection:
            found = _records(connection, select(CommandRow).where(_WAITS).order_by(CommandRow.n))
        if any(record.expires <= now for record in found):
            with self._transactions.writing() as connection:
                connection.execute(update(CommandRow).where(_WAITS, CommandRow.expires <= now).values(state=CommandState.EXPIRED.value))
        return [record for record in found if record.expires > now]

    def answered(self, device_id: str, command_id: str, *, status: str, error: str | None, data: Mapping[str, Any], now: datetime) -> bool:
        """Keep a device's answer to a command that waits for one; return whether one did. Another device's answer is none."""
        if not (is_name(device_id) and is_name(command_id)):
            return False
        state = CommandState.OK if status == "ok" else CommandState.ERROR
        try:
            kept = as_json(data)
        except CannotWork as problem:
            kept, error = "{}", f"{error or 'it answered'}; {problem}"
        answer = {"state": state.value, "error": None if error is None else readable(error, at_most=_ERROR_AT_MOST), "data": kept, "answered": now}
        with self._transactions.writing() as connection:
            return connection.execute(update(CommandRow).where(CommandRow.id == command_id, CommandRow.device == device_id, _WAITS).values(answer)).rowcount == 1

    def get(self, command_id: str) -> CommandRecord | None:
        """Return one; None where there is none."""
        if not is_name(command_id):
            return None
        with self._transactions.reading() as connection:
            return next(iter(_records(connection, select(CommandRow).where(CommandRow.id == command_id))), None)

    def of(self, device_id: str, *, limit: int = 50) -> Sequence[CommandRecord]:
        """Return a device's commands, newest first."""
        if not is_name(device_id):
            return []
        with self._transactions.reading() as connection:
            return _records(connection, select(CommandRow).where(CommandRow.device == device_id).order_by(CommandRow.n.desc()).limit(limit))


_WAITS = CommandRow.state == CommandState.WAITING.value


def _records(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[CommandRecord]:
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[*tuple[Any, ...]]) -> CommandRecord:
    return CommandRecord(
        id=row.id,
        device=row.device,
        name=row.name,
        args=json.loads(row.args),
        created=row.created,
        expires=row.expires,
        state=CommandState(row.state),
        error=row.error,
        data=json.loads(row.data),
        answered=row.answered,
    )
