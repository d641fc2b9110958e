"""What commands need of the person who runs them: their terminal, and that the appliance's files are theirs."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from typing import TYPE_CHECKING

from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.music.spotify.terminal import Terminal


def open_terminal() -> Terminal:
    """Return where lines go and come from; with a size where a drawing can be shown."""
    from moodify.music.spotify.terminal import Terminal

    # Python leaves no stdin where the descriptor is closed.
    keyboard = sys.stdin.fileno() if sys.stdin is not None else None
    seen = sys.stdout.isatty() and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    size = shutil.get_terminal_size() if seen else None
    return Terminal(keyboard, sys.stdout, size=None if size is None else (size.columns, size.lines))


def require_owner(folder: Path) -> None:
    """See that what is kept will belong to the user that runs the appliance.

    Raises:
        PersonMustAct: the folder is another user's.
    """
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise PersonMustAct(f"{folder}: {error.strerror}; run this again as the user that runs Moodify, with sudo -u moodify") from error
    if owner != os.geteuid():
        name = _name_of(owner)
        raise PersonMustAct(f"{folder} belongs to {name}; run this again as that user, with sudo -u {name}")


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"
