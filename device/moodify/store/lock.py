"""One Moodify for one folder."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from moodify.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


FILE = "moodify.lock"


def is_held(folder: Path) -> bool:
    """Return whether a Moodify uses a state folder now. Writes nothing.

    Raises:
        StoreError: it can't be found out.
    """
    path = folder / FILE
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; run this as the user that runs Moodify") from error
    try:
        # Shared, so that two who look at once do not see each other.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


class FolderLock:
    """Holds a state folder for this process until :meth:`close`, or until the process ends in whatever way."""

    def __init__(self, folder: Path, *, other: str = "set [store] folder to another") -> None:
        """Take the folder, making it (0700) where there is none; ``other`` is how a person names another one.

        Raises:
            StoreBusy: the disk is full.
            StoreError: another Moodify holds it, or it cannot be written.
        """
        path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StoreBusy(f"{path}: {error.strerror}; free disk space, or {other}") from error
            raise StoreError(f"{path}: {error.strerror}; give the user that runs Moodify a writable folder, or {other}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(f"another Moodify (process {holder}) uses {folder}; end it, or {other}") from error
        # It is held without this line, which a full disk may not take: it says to a person who holds it.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        self._open = True

    def close(self) -> None:
        """Give the folder back; safe to call twice."""
        if self._open:
            self._open = False
            os.close(self._file)

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the folder back."""
        self.close()
