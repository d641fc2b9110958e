"""A wish to erase everything, made while the appliance runs: written down, and granted by the next start before anything is opened.

A process that has the data open can't take it away under its own feet: a thread that ends late would write it anew. So the run ends, and the
next one begins with what ``moodify erase`` does. A power cut between the two loses nothing of the wish.
"""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from moodify.errors import PersonMustAct, StoreBusy
from moodify.files import write_private

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "erase.wanted"


def want(folder: Path) -> None:
    """Write the wish down; it is on the disk when this returns.

    Raises:
        StoreBusy: the disk is full.
        PersonMustAct: it can't be written.
    """
    try:
        write_private(folder / FILE, f"{datetime.now(UTC).isoformat(timespec='seconds')}\n".encode())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreBusy("Nothing was erased: the disk is full. Free some room, and try again.") from error
        raise PersonMustAct(f"Nothing was erased: {folder / FILE}: {error.strerror}. Stop Moodify, and run: moodify erase") from error


def wanted(folder: Path) -> bool:
    """Return whether it is to be granted."""
    return (folder / FILE).exists()
