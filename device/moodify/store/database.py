"""Connections to the database of events: how durable they are, and whether its inside is whole.

The file is in WAL mode, so that readers and the writer do not wait for one another. Whoever records
commits with ``synchronous=FULL``: a power cut must not take back a commit whose message has already
left, or its sequence number would be given to other events and the hub would drop those as repeats.
At one commit a minute, an fsync each is cheap.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from operator import methodcaller
from typing import TYPE_CHECKING, Final, Self

from moodify import sqlite
from moodify.sqlite import BUSY_TIMEOUT_S, Damaged, says_damaged, says_passing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from sqlite_utils import Database

logger = logging.getLogger(__name__)

#: What reading a value raises that no Moodify has written: a card has tipped a bit of it, which the database's own check does not see.
DAMAGE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def noted_damage(path: Path) -> Path:
    """Return the file beside a database that says that somebody found it damaged: a start looks thoroughly then."""
    return path.with_name(f"{path.name}.damaged")


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the project's, as :func:`moodify.sqlite.mapped`; damage is noted beside the file."""
    try:
        with sqlite.mapped(path):
            yield
    except Damaged:
        # On a disk that takes nothing, whoever meets it next notes it.
        with suppress(OSError):
            noted_damage(path).touch(mode=0o600)
        raise


def connect(path: Path, *, durable: bool = True) -> Database:
    """Open the database file, which must exist, for one thread at a time: that which opens it may hand it on.

    With ``durable`` false, a power cut may take back the last commits (never half of one).
    """
    return sqlite.connect(f"{path.absolute().as_uri()}?mode=rw", durable=durable)


def overwrite_deleted(db: Database) -> None:
    """Let this connection overwrite what it deletes with zeros: what somebody wants erased must not lie on in pages that are free."""
    db.execute("PRAGMA secure_delete = ON")


def damage(path: Path) -> str | None:
    """Return what is wrong inside a database file (``PRAGMA quick_check``), or None; writes nothing to it.

    Where damage was noted, indexes are held against their tables too (``PRAGMA integrity_check``), which takes about eight times as long (5 s for a million events, on a desktop).

    Raises:
        sqlite3.Error: it could not be looked at for another reason.
    """
    check = "integrity_check" if noted_damage(path).exists() else "quick_check"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            found = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
            return None if found == "ok" else found
    except UnicodeDecodeError:
        # It is the text of SQLite's own error that Python can't read: it repeats what it found.
        return "its description of itself is no text"
    except sqlite3.DatabaseError as error:
        if says_damaged(error):
            return str(error)
        raise


def make_indexes_anew(path: Path) -> bool:
    """Make all indexes anew from their tables, which lose nothing by it; return whether that could be done.

    Raises:
        sqlite3.Error: locked, or there is no room: it can be done another time.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            connection.execute("REINDEX")
    except UnicodeDecodeError:
        return False
    except sqlite3.DatabaseError as error:
        if says_passing(error):
            raise
        return False
    return True


def make_private(path: Path) -> None:
    """Create an empty file, and its folder, that only their owner may read; leave them alone where they exist."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def passed_over(path: Path, events: int) -> None:
    """Say that some events were left out because what is kept of them can't be read."""
    if events:
        logger.warning("%s: %s damaged events are passed over", path, events)


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
        # One letter that is none must not hide all rows from who reads them together.
        self._db.conn.text_factory = methodcaller("decode", "utf-8", "replace")

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
