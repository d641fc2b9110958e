"""Transactions for accounts: what :class:`moodify.accounts.tables.TableAccounts` works in, on the device."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from moodify.errors import StoreBusy
from moodify.sqlite import BUSY_TIMEOUT_S, transaction
from moodify.store.database import connect, mapped, overwrite_deleted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlite_utils import Database


class AccountStatements:
    """Statements on one connection."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement that changes rows; return how many."""
        return int(self._db.execute(sql, dict(values)).rowcount)

    def rows(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return what a query finds."""
        return list(self._db.query(sql, dict(values)))


class AccountTransactions:
    """Two connections of its own to a prepared database, safe from any thread: who reads never waits for who writes."""

    def __init__(self, path: Path) -> None:
        """Open ``path``; :func:`moodify.store.prepare` has been run on it.

        Raises:
            StoreBusy: locked.
            StoreError: it is not there or cannot be used.
        """
        self._path = path
        self._locks = threading.Lock(), threading.Lock()
        with mapped(path):
            self._reader = connect(path)
            try:
                self._writer = connect(path)
                overwrite_deleted(self._writer)
            except sqlite3.Error:
                self._reader.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[AccountStatements]:
        """Give statements that see one state of the database.

        Raises:
            StoreBusy: locked.
            StoreError: it can't be used.
        """
        with self._alone(self._locks[0]), mapped(self._path):
            self._reader.execute("BEGIN")
            try:
                yield AccountStatements(self._reader)
            finally:
                # SQLite has already ended it by itself after some errors (input/output).
                if self._reader.conn.in_transaction:
                    self._reader.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[AccountStatements]:
        """Give statements that are committed at the end of the block, or rolled back where it raises.

        Raises:
            StoreBusy: locked or the disk is full; nothing was changed.
            StoreError: it can't be used.
        """
        with self._alone(self._locks[1]), mapped(self._path), transaction(self._writer):
            yield AccountStatements(self._writer)

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        with mapped(self._path):
            self._reader.close()
            self._writer.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    @contextmanager
    def _alone(self, lock: threading.Lock) -> Iterator[None]:
        if not lock.acquire(timeout=2 * BUSY_TIMEOUT_S):
            raise StoreBusy(f"{self._path}: the accounts have been in use for {2 * BUSY_TIMEOUT_S:g} s; try again in a moment")
        try:
            yield
        finally:
            lock.release()
