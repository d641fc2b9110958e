"""The catalogue's file over time: opened late, opened again when it was deleted or replaced, set aside when it is damaged."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from moodify.errors import StoreBusy
from moodify.music.catalogue.database import mapped
from moodify.music.catalogue.opening import open_in_memory, open_to_read, open_to_write, set_aside
from moodify.sqlite import Damaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from sqlite_utils import Database

#: Its name in the data folder.
FILE = "music.db"

_MEMORY = Path(":memory:")


class CatalogueFile:
    """One SQLite file. For one thread at a time."""

    def __init__(self, path: Path | None, *, most: int = 20_000, now: Callable[[], datetime] = lambda: datetime.now(UTC), read_only: bool = False) -> None:
        """Open nothing yet.

        Args:
            path: ``music.db`` in the data folder; losing it costs the imports, the rest is found again. None keeps it in memory, until it is
                closed: what the simulated speaker plays must never be taken for the owner's.
            most: Songs kept; beyond it the longest unused go, imported ones last.
            now: Date with a time zone.
            read_only: For a command beside the appliance: writes nothing, and sees an empty catalogue where there is no file.
        """
        self._path = path if path is not None else _MEMORY
        self._most = most
        self._now = now
        self._read_only = read_only
        self._opened: Database | None = None
        self._file: tuple[int, int] | None = None

    @contextmanager
    def connection(self) -> Iterator[Database]:
        """Lend the connection for a block; what SQLite says in it comes out as the project's errors."""
        try:
            with mapped(self._path):
                yield self._open()
        except Damaged as problem:
            with suppress(Damaged):
                self.close()
            if self._read_only or self._path is _MEMORY:
                raise
            with mapped(self._path):
                set_aside(self._path, problem)
            raise StoreBusy(f"{self._path} was damaged and is set aside; going on with a fresh one") from problem

    @property
    def most(self) -> int:
        """Songs kept."""
        return self._most

    def now(self) -> int:
        """Return the date as the catalogue keeps it, in seconds since 1970."""
        return int(self._now().timestamp())

    def close(self) -> None:
        """Close the file; safe to call twice, and a later use opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with mapped(self._path), closing(opened):
                pass

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _open(self) -> Database:
        if self._opened is not None and self._identity() != self._file:
            # Somebody has deleted it, to forget all, or a command has set it aside.
            self.close()
        if self._opened is None:
            self._opened = open_in_memory() if self._path is _MEMORY else open_to_read(self._path) if self._read_only else open_to_write(self._path)
            self._file = self._identity()
        return self._opened

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino
