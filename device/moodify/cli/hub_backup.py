"""``moodify hub backup`` and ``restore``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import typer

from moodify.cli.hub_words import install_hint, opened
from moodify.hub.folder import hub_folder

if TYPE_CHECKING:
    from pathlib import Path


def backup(path: Path | None, file: Path) -> int:
    """Write everything of a hub into one file; return the exit code."""
    folder = hub_folder(path)
    with opened(folder) as (_, database):
        from moodify.hub.backup import back_up

        folder.make()
        rows = back_up(folder, database, file.absolute())
    typer.echo(f"{file} holds the hub with {rows} rows of its database. Keep it as you would keep a key: who has it can be this hub.")
    return 0


def restore(path: Path | None, file: Path) -> int:
    """Make a hub of such a file; return the exit code."""
    with install_hint():
        from moodify.hub.backup import restore as put_back

    folder = hub_folder(path)
    rows = put_back(folder, file)
    typer.echo(f"{folder.path} is the hub again, with {rows} rows of its database. The admin token is the one from before.")
    typer.echo(f"Start it: {shlex.join(['moodify', 'hub', 'serve', *(['--folder', str(folder.path)] if path is not None else [])])}")
    return 0
