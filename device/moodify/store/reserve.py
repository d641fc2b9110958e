"""A little room that is kept for a start on a full disk: SQLite needs some for its log before it lets anybody even read."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

#: Room for the logs of two databases and a few minutes of events.
BYTES: Final = 1024 * 1024
#: It is kept where so many times as much is free.
_TIMES: Final = 16


def beside(database: Path) -> Path:
    """Return the file that keeps the room for a database."""
    return database.with_name(f"{database.name}.reserve")


def keep(database: Path) -> None:
    """Keep the room, where there is enough and it is not kept yet."""
    file = beside(database)
    try:
        if file.exists() or shutil.disk_usage(database.parent).free < _TIMES * BYTES:
            return
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, BYTES)
        except OSError:
            file.unlink()
            raise
        finally:
            os.close(handle)
    except OSError as error:
        # It helps on a day that may never come; nothing depends on it now.
        logger.info("no room is kept for a full disk: %s", error.strerror)


def give_up(database: Path) -> bool:
    """Free the room where the disk is full; return whether there was any and that was done."""
    file = beside(database)
    with suppress(OSError):
        if shutil.disk_usage(database.parent).free < BYTES and file.exists():
            file.unlink()
            logger.warning("the disk is full: going on with the last room that was kept for that; free some space")
            return True
    return False
