"""Connections to the catalogue: what a transaction is, and what SQLite's errors mean.

WAL, so that a command may read while the appliance writes. Commits are not synced one by one: a power cut may take back the
last, which costs a look-up.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlite_utils import Database

from moodify.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Longest wait for another process's transaction, in seconds.
BUSY_TIMEOUT_S = 5.0
#: The write-ahead log is cut back to this size after a checkpoint, in bytes.
WAL_LIMIT = 4 * 1024 * 1024

_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(StoreError):
    """The file's inside is not a database's."""

    def __init__(self, path: Path, found: str) -> None:
        """Take the file and what SQLite says is wrong with it."""
        self.found = " ".join(found.split())
        super().__init__(f"{path}: {self.found}; restart Moodify, which sets the damaged file aside and goes on with a fresh one")


def _primary(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code (https://sqlite.org/rescode.html); None where Python itself raised."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn SQLite's errors and the system's into the project's.

    Raises:
        StoreBusy: locked for longer than the busy time-out, disk full, or an input/output error.
        Damaged: the file is no database any more.
        StoreError: anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = _primary(error)
        if code in _PASSING:
            raise StoreBusy(f"{path}: {error}; free disk space if it is short, it is tried again") from error
        if code in _DAMAGED:
            raise Damaged(path, str(error)) from error
        raise StoreError(f"{path}: {error}; check that the file and its folder belong to the user that runs Moodify") from error
    except OSError as error:
        kind = StoreBusy if error.errno == errno.ENOSPC else StoreError
        raise kind(f"{path}: {error.strerror}; give the user that runs Moodify a writable folder, or set [store] folder") from error


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Commit all of a block, or nothing of it; takes the write lock at once, so that it can't be lost half-way."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back by itself after some errors (disk full, input/output).
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


def connect(uri: str) -> Database:
    """Open a database by its URI, for one thread at a time: that which opens it may hand it on."""
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        db = Database(connection)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return db
