"""``moodify erase``: everything that the appliance has kept goes, keys and sign-ins first."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from moodify.cli.data_places import KINDS, device_of, found, refuse_while_running, set_aside, unknown
from moodify.cli.person import require_owner
from moodify.cloud import enrolment
from moodify.config import find, load
from moodify.daemon.places import DEVICE_KEY, folder_of
from moodify.errors import MoodifyError, PersonMustAct, StoreError
from moodify.files import sync_folder
from moodify.music.spotify import tokens
from moodify.store import lock

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config import Config

#: What is to be typed.
WORD = "erase"


def erase(config_file: Path | None, *, yes: bool) -> int:
    """Erase what the data folder holds, once that is confirmed; return the exit code.

    Raises:
        PersonMustAct: Moodify is running, or nobody could be asked.
        StoreError: something can't be removed; the rest may be gone already.
    """
    configuration = find(config_file)
    config = load(configuration)
    folder = folder_of(config)
    require_owner(folder)
    there = _there(folder)
    if not there:
        typer.echo(f"There is nothing of Moodify's in {folder}.")
        return 0
    refuse_while_running(folder, "erase, and start it again where you want to begin anew")
    if not yes and not _confirmed(folder):
        typer.echo("Nothing was erased.")
        return 1
    device = device_of(folder)
    signed_in = any(path.name == tokens.FILE for _, path in there)
    enrolled = any(path.name == enrolment.FILE for _, path in there)
    try:
        # It may need the key that is about to go.
        hindrance = _forgotten_at_broker(config, folder)
        with lock.FolderLock(folder):
            for _, path in _there(folder):
                if path.name != lock.FILE:
                    _remove(path)
            sync_folder(folder)
        (folder / lock.FILE).unlink(missing_ok=True)
        left = unknown(folder)
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror}; what is left is still there, erase it again as the user that runs Moodify") from error
    typer.echo(f"Erased: {folder} holds nothing of Moodify's any more. The next start begins as a new device.")
    _tell_where_not(config, device, hindrance, enrolled=enrolled, signed_in=signed_in)
    kept = [f"the configuration {configuration}"] if configuration is not None else []
    typer.echo(f"Not touched: {', '.join([*kept, 'backups and exports that you made, and the system log'])}.")
    for path in left:
        typer.echo(f"Not Moodify's, and left: {path}")
    typer.echo("An SD card keeps old blocks that no program can overwrite: before you give it away, destroy it, or erase the whole card with its maker's tool.")
    return 0


def _there(folder: Path) -> list[tuple[str, Path]]:
    """Return what is to go, with what it is: first what others could use, so that a power cut leaves least of it."""
    if not folder.is_dir():
        return []
    aside = [("what a restore has set aside", path) for path in set_aside(folder)]
    kinds = sorted(KINDS, key=lambda kind: not kind.secret)
    secrets = [(kind.said, path) for kind in kinds if kind.secret for path in found(folder, kind)]
    return [*secrets, *aside, *((kind.said, path) for kind in kinds if not kind.secret for path in found(folder, kind))]


def _confirmed(folder: Path) -> bool:
    if not sys.stdin.isatty():
        raise PersonMustAct("nothing was erased, for nobody could be asked; add --yes")
    typer.echo(f"This erases, in {folder}:")
    for said in dict.fromkeys(said for said, path in _there(folder) if path.name != lock.FILE):
        typer.echo(f"  {said}")
    typer.echo("It can't be taken back, unless you have a backup (moodify backup FILE --with-keys).")
    return str(typer.prompt(f"Type {WORD} to go on", default="", show_default=False)).strip().lower() == WORD


def _forgotten_at_broker(config: Config, folder: Path) -> str | None:
    """Have a household's own broker keep nothing of this device; return why that can't be, None where it was done or there is none."""
    from moodify.cli.data_farewell import forget_at_broker
    from moodify.cloud import identity
    from moodify.cloud.topics import Topics
    from moodify.daemon.linking import household_of
    from moodify.system.trust import clock_trusted

    link, now = config.link, datetime.now(UTC)
    if link.host is None or not link.enabled:
        return None
    try:
        topics = Topics(identity.load(folder / DEVICE_KEY).device)
        target = household_of(link, folder, lambda: clock_trusted(now))
        forget_at_broker(target, topics, link.home_assistant_prefix if link.home_assistant else None, now)
    except MoodifyError as error:
        return str(error)
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _tell_where_not(config: Config, device: str | None, hindrance: str | None, *, enrolled: bool, signed_in: bool) -> None:
    """Say what this command can't reach."""
    if enrolled:
        typer.echo(f"The hub was not told: it keeps what it knows. So that it lets this device in no more, run there:  moodify hub revoke {device or 'ID'}")
    if hindrance is not None:
        typer.echo(f"The broker {config.link.host} keeps the last states of this device (retained, below moodify/v1/{device or 'ID'}/up/); clear them there: {hindrance}")
    elif config.link.host is not None and config.link.enabled:
        typer.echo(f"The broker {config.link.host} keeps no state of this device any more; whoever listened there may.")
    if signed_in:
        typer.echo("Spotify still lists the app that was signed in; take it out there: https://www.spotify.com/account/apps")
