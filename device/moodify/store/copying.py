"""Databases copied whole, in use or not, and a copy of the device's own made ready to go on as a new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from moodify.errors import StoreBusy, StoreError
from moodify.sqlite import BUSY_TIMEOUT_S, Damaged, mapped, transaction
from moodify.store.database import connect, damage, make_private
from moodify.store.migrations import migrate
from moodify.store.prepare import examine

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils import Database


#: The tables of accounts and of what belongs to them, those first that refer to others (:mod:`moodify.store.migrations`).
ACCOUNTS: Final = ("skin_looks", "skin_people", "codes", "sessions", "users")


def copy_database(source: Path, to: Path) -> None:
    """Write what is committed now into a new file of its own (0600), while others go on writing (SQLite's online backup).

    Raises:
        StoreBusy: locked, or there is no room for the copy.
        Damaged: the inside of ``source`` is not a database's.
        StoreError: it can't be read, or the copy can't be written.
    """
    with mapped(source):
        problem = damage(source)
    if problem is not None:
        raise Damaged(source, problem)
    try:
        make_private(to)
    except OSError as error:
        raise StoreError(f"{to}: {error.strerror}; name a file in a folder that can be written") from error
    with mapped(to), closing(sqlite3.connect(to, timeout=BUSY_TIMEOUT_S)) as copy:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as original:
            # In one step: a reader of a write-ahead log holds nobody up, and nobody's commit makes it begin again.
            original.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def leave_out_accounts(copy: Path) -> None:
    """Take everybody's account, password, session and looks at their skin out of a copy, also from where deleted rows lie on.

    Raises:
        StoreBusy: there is no room.
        StoreError: it can't be used.
    """
    with mapped(copy), closing(connect(copy)) as db:
        for table in ACCOUNTS:
            if table in db.table_names():
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
        db.execute("VACUUM")


def take_up(path: Path) -> int:
    """Make a copy ready to go on where there was another database, or none: bring it up to date and begin a new outbox; return how many messages wait in it.

    The copied outbox may have gone on meanwhile, and a hub would absorb what this one says under numbers that it knows. So there is a new
    epoch, and numbers from 1. What has arrived already counts once all the same: each event keeps its id. Nobody is signed in, and no code is
    good: who signed out since, or used one up, did so for ever. Nobody's looks at their skin are shared, whatever was allowed then.

    Raises:
        StoreBusy: there is no room.
        StoreError: damaged, of a newer Moodify or of another program; it is left as it was.
        OSError: it can't be reached.
    """
    problem = examine(path)
    if problem is not None:
        raise Damaged(path, problem)
    with mapped(path), closing(connect(path)) as db:
        migrate(db)
        for table in ("codes", "sessions"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of ours
        db.execute("UPDATE skin_people SET shared = 0")
        return _new_outbox(db)


def keep_accounts(present: Path, coming: Path) -> None:
    """Give a copy that :func:`take_up` made ready, and that has no accounts, those of the database that it replaces.

    Raises:
        StoreBusy: there is no room.
        StoreError: one of them can't be used; nothing was taken over.
    """
    with mapped(coming), closing(connect(coming)) as db:
        db.execute("ATTACH ? AS present", [f"{present.absolute().as_uri()}?mode=ro"])
        with transaction(db):
            for table in reversed(ACCOUNTS):
                # By name: the present one may be of an older Moodify, which had fewer, or none.
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA present.table_info({table})"))
                if columns:
                    db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}")  # noqa: S608 - names of ours


def settle(path: Path) -> None:
    """Bring what a log still has into the database file that nobody uses, as far as that can be done: then the file alone is whole."""
    if not path.is_file() or not path.stat().st_size:
        return
    # One that is damaged stays as it is; its log goes with it.
    with suppress(StoreBusy, StoreError), mapped(path), closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _new_outbox(db: Database) -> int:
    with transaction(db):
        waiting = [row[0] for row in db.execute("SELECT seq FROM outbox ORDER BY seq")]
        for number, before in enumerate(waiting, start=1):
            # Ascending, and never above what it was: it meets no other.
            db.execute("UPDATE outbox SET seq = ? WHERE seq = ?", [number, before])
        db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", [len(waiting)])
        db.execute("UPDATE outbox_state SET epoch = ?", [str(uuid4())])
    return len(waiting)
