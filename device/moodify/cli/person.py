"""What commands need of the person who runs them: their terminal, and that the appliance's files are theirs."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from typing import TYPE_CHECKING

import click
import typer

from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Sequence
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


def typed(word: str, question: Sequence[str], *, otherwise: str) -> bool:
    """Ask before what does harm: say what that is, and return whether the person has typed the word for it.

    Args:
        word: what is to be typed.
        question: lines that say what would be done.
        otherwise: what is said where it is not done, without a full stop.

    Raises:
        PersonMustAct: nobody could be asked.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise PersonMustAct(f"{otherwise[:1].lower()}{otherwise[1:]}, for nobody could be asked; add --yes")
    for line in question:
        typer.echo(line)
    try:
        answer = str(typer.prompt(f"Type {word} to go on", default="", show_default=False))
    except (click.Abort, KeyboardInterrupt, EOFError):
        typer.echo()
        answer = ""
    if answer.strip().lower() == word:
        return True
    typer.echo(f"{otherwise}.")
    return False


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
