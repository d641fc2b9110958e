"""What was set aside beside the database, damaged or replaced: kept as long as its owner keeps history, and no longer."""

from __future__ import annotations

import json
import logging
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moodify.store.settings import DAMAGED

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

#: How a folder begins that holds what a restore has replaced; the time follows.
REPLACED = "replaced."
#: ``NAME.corrupt.TIME`` (:func:`moodify.sqlite.set_aside`), with its log beside it, and ``replaced.TIME``.
_NAME = re.compile(r"(?:.+\.corrupt|replaced)\.(\d{8}T\d{6}\.\d{6}Z)(?:-wal|-shm)?")


def name_of(now: datetime) -> str:
    """Return the name of the folder for what is replaced now."""
    return f"{REPLACED}{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"


def newest_damaged(database: Path) -> Path | None:
    """Return the damaged database that was set aside last from this one's place; None where none is kept."""
    names = (path for path in database.parent.glob(f"{database.name}.corrupt.*Z") if _NAME.fullmatch(path.name))
    return max(names, default=None)


def setting_of(path: Path, key: str) -> Any:
    """Return the JSON value of a setting in a database that was set aside, None where it was never set, or :data:`~moodify.store.settings.DAMAGED`."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
            return None if row is None else json.loads(row[0])
    except (sqlite3.Error, ValueError, TypeError, RecursionError):
        return DAMAGED


def forget(folder: Path, before: datetime) -> int:
    """Delete what was set aside in a folder before a date; return how much that was. What can't be deleted is tried again the next time."""
    deleted = 0
    for path in folder.iterdir():
        found = _NAME.fullmatch(path.name)
        if found is None or datetime.strptime(found[1], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC) >= before:
            continue
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            logger.warning("%s was set aside long ago and can't be deleted: %s", path, error.strerror)
        else:
            logger.info("Deleted %s, which was set aside longer ago than history is kept", path.name)
            deleted += 1
    return deleted
