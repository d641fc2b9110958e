"""Connections to the database: how they are opened, what a transaction is, and what SQLite's errors mean.

The file is in WAL mode, so that readers and the writer do not wait for one another. Whoever records
commits with ``synchronous=FULL``: a power cut must not take back a commit whose message has already
left, or its sequence number would be given to other events and the hub would drop those as repeats.
At one commit a minute, an fsync each is cheap.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Self

from sqlite_utils import Database

from moodify.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

#: Longest wait for another thread's transaction, in seconds.
BUSY_TIMEOUT_S = 5.0
#: The write-ahead log is cut back to this size after a checkpoint, in bytes.
WAL_LIMIT = 4 * 1024 * 1024

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code (https://sqlite.org/rescode.html), or None where Python itself raised."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the project's.

    Raises:
        StoreBusy: locked for longer than the busy time-out, disk full, or an input/output error.
        StoreError: damaged, not writable, or anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = primary_code(error)
        if code in _PASSING:
            raise StoreBusy(f"{path}: {error}; free disk space if it is short, it is tried again") from error
        if code in DAMAGED:
            raise StoreError(f"{path}: {error}; restart Moodify, which sets the damaged file aside and goes on with a fresh one") from error
        raise StoreError(f"{path}: {error}; check that the file and its folder belong to the user that runs Moodify") from error


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Commit all of a block, or nothing of it; takes the write lock at once, so that it cannot be lost half-way."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back by itself after some errors (disk full, input/output).
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


def connect(path: Path, *, durable: bool = True) -> Database:
    """Open the database file, which must exist, for one thread at a time: that which opens it may hand it on.

    With ``durable`` false, a power cut may take back the last commits (never half of one).
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        db = Database(connection)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return db


def damage(path: Path) -> str | None:
    """Return what is wrong inside a database file (``PRAGMA quick_check``), or None; writes nothing to it.

    Raises:
        sqlite3.Error: it could not be looked at for another reason.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            return None if found == "ok" else found
    except sqlite3.DatabaseError as error:
        if primary_code(error) in DAMAGED:
            return str(error)
        raise


def make_private(path: Path) -> None:
    """Create an empty file, and its folder, that only their owner may read; leave them alone where they exist."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


class Connected:
    """A connection of its own to a prepared database, for one thread at a time; the one that opens it may hand it on."""

    _durable = True

    def __init__(self, path: Path) -> None:
        """Open ``path``; :func:`moodify.store.prepare` has been run on it.

        Raises:
            StoreBusy: locked.
            StoreError: it is not there or cannot be used.
        """
        self._path = path
        with mapped(path):
            self._db = connect(path, durable=self._durable)

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        with mapped(self._path):
            self._db.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()
