"""Private files that no power cut leaves half written."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


def write_private(path: Path, content: bytes) -> None:
    """Put a file of ``content`` in the place of ``path``: whole and on the disk, or not at all.

    Only its owner may read it (0600); a folder that is missing is made (0700). For one writer at a time. A crash may
    leave the whole content at :func:`beside`, where :func:`put_in_place` takes it from.

    Raises:
        OSError: it can't be written; what was at ``path`` stands.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with private_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of ``path`` at the end of the block, as :func:`write_private` has it; not at all where the block fails.

    The folder must be there.

    Raises:
        OSError: it can't be written; what was at ``path`` stands.
    """
    new = beside(path)
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    put_in_place(path)


def beside(path: Path) -> Path:
    """Return where :func:`write_private` writes before it renames."""
    return path.with_name(f"{path.name}.new")


def put_in_place(path: Path) -> None:
    """Rename what is at :func:`beside` to ``path``, and have that on the disk.

    Raises:
        OSError: it can't be renamed.
    """
    # Where it is missing, another process has just done the same.
    with contextlib.suppress(FileNotFoundError):
        beside(path).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk: a rename is safe from a power cut only then (fsync(2)).

    Raises:
        OSError: it can't be opened or synced.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
