"""Once at start, before any thread opens the database: look at it, set a damaged one aside, bring it up to date."""

from __future__ import annotations

import errno
import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from moodify.errors import StoreBusy, StoreError
from moodify.sqlite import set_aside, take_back
from moodify.store import reserve
from moodify.store.database import connect, damage, make_indexes_anew, make_private, mapped, noted_damage
from moodify.store.migrations import NEWEST, migrate

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


def prepare(path: Path) -> Path | None:
    """Make the database at ``path`` ready for :class:`Store`, :class:`History`, :class:`Outbox` and :class:`Settings`.

    Creates it (0600, in a folder of 0700) where there is none. A damaged file is renamed to
    ``NAME.corrupt.TIME`` together with its ``-wal`` and ``-shm``, and a fresh one takes its place;
    the new name is returned, None otherwise. No other process may have it open: hold :class:`FolderLock`. Where the disk is full
    it goes on with the room that an earlier start has kept for that (:mod:`moodify.store.reserve`).

    Raises:
        StoreBusy: locked or the disk is full.
        StoreError: written by a newer Moodify or by another program, or not writable; it is left as it was.
    """
    try:
        aside = _prepare(path)
    except StoreBusy:
        if not reserve.give_up(path):
            raise
        aside = _prepare(path)
    reserve.keep(path)
    return aside


def _prepare(path: Path) -> Path | None:
    aside = None
    try:
        with mapped(path):
            take_back(path)
        problem = examine(path)
        if problem is not None and noted_damage(path).exists() and _mended(path):
            logger.warning("the database's indexes were damaged (%s): they are made anew, and nothing is lost", problem)
        elif problem is not None:
            aside = set_aside(path)
            logger.error("the database was damaged (%s): it is kept as %s, and a fresh one takes its place", problem, aside.name)
        noted_damage(path).unlink(missing_ok=True)
        make_private(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreBusy(f"{path}: {error.strerror}; free disk space, or set [store] folder to a place with some") from error
        raise StoreError(f"{path}: {error.strerror}; give the user that runs Moodify a writable folder, or set [store] folder") from error
    with mapped(path), closing(connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        migrate(db)
    return aside


def _mended(path: Path) -> bool:
    with mapped(path):
        return make_indexes_anew(path) and examine(path) is None


def examine(path: Path) -> str | None:
    """Return what is wrong inside the file that a start would meet at ``path``, or None; writes nothing.

    Raises:
        OSError: it can't be reached.
        StoreBusy: locked.
        StoreError: written by a newer Moodify or by another program, or not readable.
    """
    if not path.exists() or not path.stat().st_size:
        return None
    if not path.is_file():
        raise StoreError(f"{path} is no file; move it away, or set [store] folder")
    with mapped(path):
        problem = damage(path)
    if problem is None:
        _check_ours(path)
    return problem


def _check_ours(path: Path) -> None:
    with mapped(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if version > NEWEST:
        raise StoreError(f"{path} was written by a newer Moodify (version {version}, this one knows up to {NEWEST}); install that again, or set [store] folder to a fresh one")
    if version == 0 and tables:
        raise StoreError(f"{path} belongs to another program; set [store] folder to a folder of Moodify's own")
