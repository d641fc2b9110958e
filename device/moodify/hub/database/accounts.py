"""Transactions for accounts: what :class:`moodify.accounts.tables.TableAccounts` works in, at the hub."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from moodify.hub.database import account_models  # noqa: F401 - its tables belong to the database's shape
from moodify.hub.database.models import HubRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from moodify.hub.database.engine import Transactions


class AccountStatements:
    """Statements on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement that changes rows; return how many."""
        return self._connection.execute(text(sql), dict(values)).rowcount

    def rows(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return what a query finds."""
        return [dict(row) for row in self._connection.execute(text(sql), dict(values)).mappings()]


class AccountTransactions:
    """Transactions of the hub's database, safe from any thread."""

    def __init__(self, transactions: Transactions) -> None:
        """Work in a database."""
        self._transactions = transactions

    @contextmanager
    def reading(self) -> Iterator[AccountStatements]:
        """Give statements that only read.

        Raises:
            StoreBusy: locked or away.
            StoreError: the database can't be used.
        """
        with self._transactions.reading() as connection:
            yield AccountStatements(connection)

    @contextmanager
    def writing(self) -> Iterator[AccountStatements]:
        """Give statements that are committed at the end of the block, or rolled back where it raises; of several hubs on one PostgreSQL one at a time.

        Raises:
            StoreBusy: locked, full or away.
            StoreError: the database can't be used.
        """
        with self._transactions.writing() as connection:
            # SQLite has one writer anyway.
            connection.execute(select(HubRow.id).with_for_update())
            yield AccountStatements(connection)
