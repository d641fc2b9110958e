"""What every SQLite file of the house shares: how it is opened, what a transaction is, what SQLite's errors mean, how its shape grows.

Files are in WAL mode, so that readers and the writer do not wait for one another.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlite_utils import Database

#: Longest wait for another connection's transaction, in seconds.
BUSY_TIMEOUT_S = 5.0
#: The write-ahead log is cut back to this size after a checkpoint, in bytes.
WAL_LIMIT = 4 * 1024 * 1024

#: With less than a page of it there is no room, in bytes.
_LEAST = 4096
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(StoreError):
    """The file's inside is not a database's."""

    def __init__(self, path: Path, found: str) -> None:
        """Take the file and what SQLite says is wrong with it."""
        self.found = " ".join(found.split())
        super().__init__(f"{path}: {self.found}; restart Moodify, which sets the damaged file aside and goes on with a fresh one")


def says_damaged(error: sqlite3.Error) -> bool:
    """Return whether an error says that the file is no database any more."""
    return _primary(error) in _DAMAGED


def says_passing(error: sqlite3.Error) -> bool:
    """Return whether it may work again by itself: locked, the disk is full, or an input/output error."""
    return _primary(error) in _PASSING


def _says_full(error: sqlite3.Error, path: Path) -> bool:
    """Return whether a file could not be opened because there is no room for its log, which SQLite does not say."""
    with suppress(OSError):
        return _primary(error) == sqlite3.SQLITE_CANTOPEN and shutil.disk_usage(path.parent).free < _LEAST
    return False


def _primary(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code (https://sqlite.org/rescode.html), or None where Python itself raised."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the project's.

    Raises:
        StoreBusy: locked for longer than the busy time-out, disk full, or an input/output error.
        Damaged: the file is no database any more.
        StoreError: not writable, or anything else.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        # It is the text of SQLite's own error that Python can't read: it repeats what it found.
        raise Damaged(path, "its description of itself is no text") from error
    except sqlite3.Error as error:
        if says_passing(error) or _says_full(error, path):
            raise StoreBusy(f"{path}: {error}; free disk space if it is short, it is tried again") from error
        if says_damaged(error):
            raise Damaged(path, str(error)) from error
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


def connect(uri: str, *, durable: bool) -> Database:
    """Open a database by its URI, for one thread at a time: that which opens it may hand it on.

    With ``durable`` false, a power cut may take back the last commits (never half of one).
    """
    # It brings NumPy with it, which a hub has no use for: it takes only this module's constants.
    from sqlite_utils import Database

    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        db = Database(connection)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return db


def migrate(db: Database, steps: Sequence[Callable[[Database], None]]) -> None:
    """Take the steps that are missing, each in a transaction of its own together with its number (``PRAGMA user_version``)."""
    for number, step in enumerate(steps, start=1):
        with transaction(db):
            if db.execute("PRAGMA user_version").fetchone()[0] < number:
                step(db)
                db.execute(f"PRAGMA user_version = {number}")


def take_back(path: Path) -> None:
    """Take back what a kill or a power cut has left half done in a file that is not in WAL mode yet, as in its first moments: whoever opens it only to read can't.

    One that is damaged stays as it is.

    Raises:
        sqlite3.Error: it could not be done.
    """
    if not path.exists() or not path.with_name(f"{path.name}-journal").exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            # SQLite does it by itself at the first look.
            connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        if not says_damaged(error):
            raise


def set_aside(path: Path) -> Path:
    """Rename a damaged database to ``NAME.corrupt.TIME``, together with its log; return the new name.

    Raises:
        OSError: it can't be renamed.
    """
    aside = path.with_name(f"{path.name}.corrupt.{datetime.now(UTC).strftime('%Y%m%dT%H%M%S.%fZ')}")
    # The log goes first: a fresh database must never meet the old one's.
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
