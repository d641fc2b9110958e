"""Where small things last over a restart."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from moodify.errors import StoreBusy
from moodify.files import write_private

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

#: Bytes. What is kept is far shorter; a longer file is not ours.
LONGEST_FILE = 2048


class Notes(Protocol):
    """Where named JSON values last: the store's settings, or a :class:`NoteFile`.

    Raises (both calls):
        StoreBusy: locked or the disk is full.
        StoreError: it can't be used.
    """

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` where it was never set."""

    def put(self, key: str, value: Any) -> None:
        """Set ``key`` to a JSON value."""


class NoteFile:
    """Notes in a small file of the owner's alone (0600), read once and written only where they change. Not thread-safe, and its file's only user."""

    def __init__(self, path: Path) -> None:
        """Read what was kept; what makes no sense is forgotten."""
        self._path = path
        self._values = _read(path)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key``, or ``default`` where it was never set. Never raises."""
        return self._values.get(key, default)

    def put(self, key: str, value: Any) -> None:
        """Set ``key`` to a JSON value; None forgets it.

        Raises:
            StoreBusy: it can't be written, or would be longer than :data:`LONGEST_FILE`; what was kept stands.
        """
        values = {name: kept for name, kept in (self._values | {key: value}).items() if kept is not None}
        if values == self._values:
            return
        content = json.dumps(values).encode()
        if len(content) > LONGEST_FILE:
            raise StoreBusy(f"{self._path} can't hold {len(content)} bytes; it is for small things")
        try:
            write_private(self._path, content)
        except OSError as error:
            raise StoreBusy(f"{self._path} can't be written ({error.strerror}); free some space or fix the folder's owner") from error
        self._values = values


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
        kept = json.loads(content) if len(content) <= LONGEST_FILE else None
        if isinstance(kept, dict):
            return kept
        reason = "its contents are not ours"
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = type(error).__name__
    logger.warning("%s makes no sense (%s) and is not used", path, reason)
    return {}
