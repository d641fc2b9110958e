"""``moodify backup``: what the appliance keeps, in one file, while it runs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from moodify.cli.data_places import CATALOGUE, CONFIGURATION, KINDS, InBackup, device_of
from moodify.cli.person import require_owner
from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import PersonMustAct


def backup(config_file: Path | None, file: Path, *, with_keys: bool) -> int:
    """Write a backup, whole or not at all; return the exit code.

    Raises:
        PersonMustAct: there is nothing yet, or something can't be read or written.
        CannotWork: something else is at ``file``.
        StoreBusy, StoreError: a database can't be used, or the disk is full.
    """
    from moodify.store import archive
    from moodify.store.copying import copy_database

    configuration = find(config_file)
    folder = folder_of(load(configuration))
    require_owner(folder)
    if not (folder / DATABASE).is_file():
        raise PersonMustAct(f"there is nothing to back up in {folder} yet; the first run of Moodify makes it")
    archive.check_replaceable(file)
    wanted = {InBackup.ALWAYS, InBackup.WITH_KEYS} if with_keys else {InBackup.ALWAYS}
    members = {kind.name: folder / kind.name for kind in KINDS if kind.backup in wanted and (folder / kind.name).is_file()}
    if configuration is not None:
        members[CONFIGURATION] = configuration
    try:
        # Where the backup goes, so that the room is needed there alone, and the appliance's card is spared.
        copies = TemporaryDirectory(prefix=".moodify-backup-", dir=file.absolute().parent)
    except OSError as error:
        raise PersonMustAct(f"{file.absolute().parent}: {error.strerror}; name a file in a folder that the user who runs this can write") from error
    with copies as temporary:
        for name in {DATABASE, CATALOGUE} & members.keys():
            copy = Path(temporary) / name
            copy_database(folder / name, copy)
            members[name] = copy
        note = archive.write(file, members, device=device_of(folder), keys=with_keys)
    typer.echo(f"{file} holds {', '.join(sorted(note.files))}.")
    if with_keys:
        typer.echo("Keep it as you would keep a key: who has it can be this device, and plays music in your name.")
    else:
        typer.echo("The device's key and the sign-in to Spotify are not in it (they are with --with-keys). It is your history all the same: keep it to yourself.")
    return 0
