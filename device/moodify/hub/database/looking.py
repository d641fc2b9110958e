"""Events as they are looked back at: of one device, back to a moment, without those that say nothing of mood and music."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from moodify.hub.database.models import EventRow
from moodify.hub.database.values import is_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from moodify.hub.database.engine import Transactions

#: Rows that are read at a time, and in all: five weeks of a device whose mood changes every minute.
_ROWS: Final = 1000
_ROWS_AT_MOST: Final = 50_000


class Told(NamedTuple):
    """An event, as far as it is looked back at."""

    at: datetime
    kind: str
    data: dict[str, Any]


class LookingBack:
    """What devices said of themselves a while ago."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    def told(self, device_id: str, begins: datetime, *, kinds: Collection[str] | None = None) -> list[Told]:
        """Return what a device noted from ``begins`` on, in the order of its own time; the newest 50,000 of them.

        What it noted since came since, so that nothing older has to be read; a device whose clock was ahead of the hub's may miss some.

        Raises:
            StoreBusy: locked or away.
            StoreError: the database can't be used.
        """
        if not is_name(device_id):
            return []
        found = [one for one in self._newest(device_id, begins, kinds) if one.at >= begins]
        # Of the same moment in the order in which they came: sorting keeps it.
        found.reverse()
        found.sort(key=lambda one: one.at)
        return found

    def last_heard(self, device_id: str) -> datetime | None:
        """Return when the newest event of a device came; None where none did.

        Raises:
            StoreBusy: locked or away.
            StoreError: the database can't be used.
        """
        if not is_name(device_id):
            return None
        with self._transactions.reading() as connection:
            received: datetime | None = connection.scalar(select(EventRow.received).where(EventRow.device == device_id).order_by(EventRow.n.desc()).limit(1))
        return received

    def _newest(self, device_id: str, begins: datetime, kinds: Collection[str] | None) -> Iterator[Told]:
        query = select(EventRow.n, EventRow.at, EventRow.kind, EventRow.received, EventRow.data).where(EventRow.device == device_id)
        if kinds is not None:
            query = query.where(EventRow.kind.in_(sorted(kinds)))
        query = query.order_by(EventRow.n.desc()).limit(_ROWS)
        before: int | None = None
        with self._transactions.reading() as connection:
            for _ in range(_ROWS_AT_MOST // _ROWS):
                rows = connection.execute(query if before is None else query.where(EventRow.n < before)).all()
                for _, at, kind, received, data in rows:
                    if received < begins:
                        return
                    yield Told(at, kind, json.loads(data))
                if len(rows) < _ROWS:
                    return
                before = rows[-1].n
