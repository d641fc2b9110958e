"""What errors on the catalogue's file mean: SQLite's, and the system's around it.

WAL, so that a command may read while the appliance writes. Commits are not synced one by one: a power cut may take back the
last, which costs a look-up.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from moodify import sqlite
from moodify.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlite_utils import Database


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn SQLite's errors and the system's into the project's.

    Raises:
        StoreBusy: locked for longer than the busy time-out, disk full, or an input/output error.
        Damaged: the file is no database any more.
        StoreError: anything else.
    """
    try:
        with sqlite.mapped(path):
            yield
    except OSError as error:
        kind = StoreBusy if error.errno == errno.ENOSPC else StoreError
        raise kind(f"{path}: {error.strerror}; give the user that runs Moodify a writable folder, or set [store] folder") from error


def connect(uri: str) -> Database:
    """Open the catalogue by its URI, for one thread at a time: that which opens it may hand it on."""
    db = sqlite.connect(uri, durable=False)
    # One letter that is none must not take the whole catalogue away.
    db.conn.text_factory = partial(str, encoding="utf-8", errors="replace")
    return db
