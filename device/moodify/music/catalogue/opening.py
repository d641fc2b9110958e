"""The catalogue's file: how it is opened, and what becomes of a damaged one."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from moodify import sqlite
from moodify.errors import StoreError
from moodify.music.catalogue.database import connect, mapped
from moodify.music.catalogue.schema import NEWEST, migrate
from moodify.sqlite import BUSY_TIMEOUT_S, Damaged

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils import Database

log = logging.getLogger(__name__)


def open_to_write(path: Path) -> Database:
    """Open the catalogue, making it (0600) where there is none and bringing it up to date.

    A damaged file is kept as ``NAME.corrupt.TIME``, with a line in the log, and a fresh one takes its place: imports are lost.

    Raises:
        StoreBusy: locked or the disk is full.
        StoreError: written by a newer Moodify or by another program, or not writable; it is left as it was.
    """
    with mapped(path):
        try:
            with mapped(path):
                sqlite.take_back(path)
                check_file(path)
        except Damaged as problem:
            set_aside(path, problem)
        _make_private(path)
        db = connect(f"{path.absolute().as_uri()}?mode=rw")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            migrate(db)
        except BaseException:
            db.close()
            raise
    return db


def open_to_read(path: Path) -> Database:
    """Open the catalogue for a command that changes nothing; an empty one in memory where there is none yet.

    Raises:
        StoreBusy: locked.
        StoreError: damaged, written by a newer or an older Moodify or by another program, or not readable; it is left as it was.
    """
    with mapped(path):
        if _fresh(path):
            return open_in_memory()
        check_file(path)
        db = connect(f"{path.absolute().as_uri()}?mode=ro")
        version = db.execute("PRAGMA user_version").fetchone()[0]
    if version < NEWEST:
        db.close()
        raise StoreError(f"{path} was written by an older Moodify (version {version}, this one knows {NEWEST}); start the appliance once, which brings it up to date")
    return db


def open_in_memory() -> Database:
    """Open an empty catalogue that is forgotten when it is closed."""
    db = connect(":memory:")
    migrate(db)
    return db


def set_aside(path: Path, problem: Damaged) -> None:
    """Rename a damaged catalogue, together with its log, and say so.

    Raises:
        OSError: it can't be renamed.
    """
    aside = sqlite.set_aside(path)
    log.error("The catalogue of songs was damaged (%s): it is kept as %s and a fresh one takes its place; import your CSV files again", problem.found, aside.name)


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    for suffix in ("-wal", "-shm"):
        # A log without its catalogue would bring back what somebody has deleted.
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if os.geteuid() == 0:
        # An import with sudo must leave a file that the service can open.
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _fresh(path: Path) -> bool:
    return not path.exists() or (path.is_file() and not path.stat().st_size)


def check_file(path: Path) -> None:
    """Look at the file that stands at ``path``, if one does, without writing to it.

    Raises:
        Damaged: its inside is no database's.
        StoreError: written by a newer Moodify or by another program.
        sqlite3.Error: it can't be looked at for another reason.
    """
    if _fresh(path):
        return
    if not path.is_file():
        raise StoreError(f"{path} is no file; move it away, or set [store] folder")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if found != "ok":
            raise Damaged(path, found)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if version > NEWEST:
        raise StoreError(
            f"{path} was written by a newer Moodify (version {version}, this one knows up to {NEWEST}); install that again, or move the file away: your imports are in it"
        )
    if version == 0 and tables:
        raise StoreError(f"{path} belongs to another program; set [store] folder to a folder of Moodify's own")
