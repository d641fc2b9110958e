"""The hub's database, and the rooms over it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from moodify.hub.database import backup, retention
from moodify.hub.database.accounts import AccountTransactions
from moodify.hub.database.alerts import Alerts
from moodify.hub.database.commands import Commands
from moodify.hub.database.engine import Transactions
from moodify.hub.database.history import Events
from moodify.hub.database.intake import Intake
from moodify.hub.database.looking import LookingBack
from moodify.hub.database.registry import Registry
from moodify.hub.database.schema import bring_up_to_date, is_current

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType


class Database:
    """An open database; any number of threads may use it and its rooms."""

    def __init__(self, transactions: Transactions) -> None:
        """Take a database that is of the newest shape: :func:`open_database`."""
        self._transactions = transactions
        self.registry = Registry(transactions)
        self.intake = Intake(transactions)
        self.commands = Commands(transactions)
        self.events = Events(transactions)
        self.back = LookingBack(transactions)
        self.alerts = Alerts(transactions)
        self.accounts = AccountTransactions(transactions)

    def check(self) -> None:
        """Return if the database answers.

        Raises:
            StoreBusy: locked or away.
            StoreError: it can't be used.
        """
        self.registry.revision()

    def retain(self, days: int, now: datetime) -> int:
        """Delete what came more than ``days`` ago; return how many events that were. See :func:`moodify.hub.database.retention.retain`."""
        gone = retention.retain(self._transactions, days, now)
        self.alerts.forget(now - timedelta(days=days))
        return gone

    def last_seen(self) -> datetime | None:
        """Return when a hub last noted the time. See :func:`moodify.hub.database.retention.last_seen`."""
        return retention.last_seen(self._transactions)

    def note_seen(self, now: datetime) -> None:
        """Note the time. See :func:`moodify.hub.database.retention.note_seen`."""
        retention.note_seen(self._transactions, now)

    def newest_received(self) -> datetime | None:
        """Return when the newest of what is kept came. See :func:`moodify.hub.database.retention.newest_received`."""
        return retention.newest_received(self._transactions)

    def dump(self, file: Path) -> int:
        """Write a backup while the hub goes on; return how many rows. See :func:`moodify.hub.database.backup.dump`."""
        return backup.dump(self._transactions, file)

    def load(self, file: Path) -> int:
        """Fill an empty database from a backup; return how many rows. See :func:`moodify.hub.database.backup.load`."""
        return backup.load(self._transactions, file)

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        self._transactions.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def open_database(target: str | Path) -> Database:
    """Open a database, making it, or bringing it up to date, where that is needed. Hubs that do so at once take turns.

    Args:
        target: a file (made with mode 0600), ``sqlite:///FILE``, or ``postgresql+psycopg://USER@HOST/NAME``.

    Raises:
        StoreBusy: locked, full or away.
        StoreError: no address of a database, of a newer Moodify, another program's, or not to be used as it is.
    """
    transactions = Transactions(target)
    try:
        with transactions.reading() as connection:
            current = is_current(connection, transactions.where)
        if not current:
            with transactions.writing() as connection:
                bring_up_to_date(connection, transactions.where)
    except BaseException:
        transactions.close()
        raise
    return Database(transactions)
