"""``moodify backup``: what the appliance keeps, in one file, while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from moodify.cli.person import require_owner
from moodify.config import find, load
from moodify.daemon.data_backup import copied
from moodify.daemon.data_places import device_of
from moodify.daemon.places import folder_of

if TYPE_CHECKING:
    from pathlib import Path


def backup(config_file: Path | None, file: Path, *, with_keys: bool) -> int:
    """Write a backup, whole or not at all; return the exit code.

    Raises:
        PersonMustAct: there is nothing yet, or something can't be read or written.
        CannotWork: something else is at ``file``.
        StoreBusy, StoreError: a database can't be used, or the disk is full.
    """
    from moodify.store import archive

    configuration = find(config_file)
    folder = folder_of(load(configuration))
    require_owner(folder)
    archive.check_replaceable(file)
    # Copied to where the backup goes, so that the room is needed there alone, and the appliance's card is spared.
    with copied(folder, configuration, file.absolute().parent, with_keys=with_keys) as members:
        note = archive.write(file, members, device=device_of(folder), keys=with_keys)
    typer.echo(f"{file} holds {', '.join(sorted(note.files))}.")
    if with_keys:
        typer.echo("Keep it as you would keep a key: who has it can be this device, and plays music in your name. Accounts and the looks at people's skin are in it too.")
    else:
        typer.echo("The device's key, the sign-in to Spotify, accounts and looks at people's skin are not in it (they are with --with-keys).")
        typer.echo("It is your history all the same: keep it to yourself.")
    return 0
