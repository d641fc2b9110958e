"""The few things that must survive a restart and are not configuration: privacy, the last date known, commands carried out."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from moodify.sqlite import transaction
from moodify.store.database import Connected, mapped

logger = logging.getLogger(__name__)

#: Stands for a value of which something is kept that can't be read. It is not "never set": privacy, for one, stays closed.
DAMAGED: Final = "damaged"


class Settings(Connected):
    """Named JSON values, each set as a whole. Belongs to one thread."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, ``default`` where it was never set, or :data:`DAMAGED`.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            row = self._db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return default if row is None else self._read(key, row[0])

    def all(self) -> dict[str, Any]:
        """Return every value that is set, or :data:`DAMAGED`, by its key.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            rows = self._db.execute("SELECT key, value FROM settings ORDER BY key").fetchall()
        return {key: self._read(key, value) for key, value in rows}

    def put(self, key: str, value: Any) -> None:
        """Set ``key`` to a JSON value; it is on the disk when this returns.

        Raises:
            StoreBusy: locked or the disk is full; the old value stands.
            StoreError: the database cannot be used.
        """
        text = json.dumps(value, allow_nan=False)
        with mapped(self._path), transaction(self._db):
            self._db.execute("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [key, text])

    def remove(self, key: str, value: Any) -> None:
        """Forget ``key`` where its value is still this one, as :meth:`put` wrote it; else leave it.

        Raises:
            StoreBusy: locked or the disk is full; the old value stands.
            StoreError: the database cannot be used.
        """
        with mapped(self._path), transaction(self._db):
            self._db.execute("DELETE FROM settings WHERE key = ? AND value = ?", [key, json.dumps(value, allow_nan=False)])

    def _read(self, key: str, text: Any) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError):
            logger.warning("%s: what is kept as %s is damaged, and is passed over", self._path, key)
            return DAMAGED
