"""The few things that must survive a restart and are not configuration: privacy, the last date known, commands carried out."""

from __future__ import annotations

import json
from typing import Any

from moodify.sqlite import mapped, transaction
from moodify.store.database import Connected


class Settings(Connected):
    """Named JSON values, each set as a whole. Belongs to one thread."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` where it was never set.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            row = self._db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return default if row is None else json.loads(row[0])

    def all(self) -> dict[str, Any]:
        """Return every value that is set, by its key.

        Raises:
            StoreBusy: locked.
            StoreError: the database cannot be used.
        """
        with mapped(self._path):
            rows = self._db.execute("SELECT key, value FROM settings ORDER BY key").fetchall()
        return {key: json.loads(value) for key, value in rows}

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
