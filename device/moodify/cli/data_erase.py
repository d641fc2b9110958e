"""``moodify erase``: everything that the appliance has kept goes, keys and sign-ins first."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from moodify.cli.data_farewell import bid_farewell
from moodify.cli.person import require_owner, typed
from moodify.config import find, load
from moodify.daemon.data_places import KINDS, device_of, found, refuse_while_running, set_aside, unknown
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import MoodifyError, StoreError
from moodify.files import sync_folder
from moodify.music.spotify import tokens
from moodify.store import lock
from moodify.store.history import History

if TYPE_CHECKING:
    from pathlib import Path

#: What is to be typed.
WORD: Final = "erase"
#: Exit code where this device is erased, and something of it is left with a hub or a broker.
ELSEWHERE: Final = 3


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
    if not yes and not typed(WORD, _question(folder), otherwise="Nothing was erased"):
        return 1
    device, signed_in, events = device_of(folder), any(path.name == tokens.FILE for _, path in there), _events(folder)
    try:
        # From here on nobody starts it, and becomes somebody whom the hub has forgotten.
        with lock.FolderLock(folder):
            # They may need the key that is about to go.
            told = bid_farewell(config.link, folder, device, events)
            linked = [path.resolve() for _, path in _there(folder) if path.is_symlink()]
            for _, path in _there(folder):
                if path.name != lock.FILE:
                    _remove(path)
            sync_folder(folder)
        (folder / lock.FILE).unlink(missing_ok=True)
        left = unknown(folder)
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror}; what is left is still there, erase it again as the user that runs Moodify") from error
    typer.echo(f"Erased: {folder} holds nothing of Moodify's any more. The next start begins as a new device.")
    for each in told:
        typer.echo(each.said)
    if signed_in:
        typer.echo("Spotify still lists the app that was signed in; take it out there: https://www.spotify.com/account/apps")
    elsewhere = [path for path in linked if path.exists()]
    for path in elsewhere:
        typer.echo(f"Not erased: {path}, to which a link led that is gone now; erase it where it lies")
    kept = [f"the configuration {configuration}"] if configuration is not None else []
    typer.echo(f"Not touched: {', '.join([*kept, 'backups and exports that you made, and the system log'])}.")
    for path in left:
        typer.echo(f"Not Moodify's, and left: {path}")
    typer.echo("An SD card keeps old blocks that no program can overwrite: before you give it away, destroy it, or erase the whole card with its maker's tool.")
    return 0 if all(each.done for each in told) and not elsewhere else ELSEWHERE


def _there(folder: Path) -> list[tuple[str, Path]]:
    """Return what is to go, with what it is: first what others could use, so that a power cut leaves least of it."""
    if not folder.is_dir():
        return []
    aside = [("what a restore has set aside", path) for path in set_aside(folder)]
    kinds = sorted(KINDS, key=lambda kind: not kind.secret)
    secrets = [(kind.said, path) for kind in kinds if kind.secret for path in found(folder, kind)]
    return [*secrets, *aside, *((kind.said, path) for kind in kinds if not kind.secret for path in found(folder, kind))]


def _question(folder: Path) -> list[str]:
    held = dict.fromkeys(said for said, path in _there(folder) if path.name != lock.FILE)
    return [f"This erases, in {folder}:", *(f"  {said}" for said in held), "It can't be taken back, unless you have a backup (moodify backup FILE --with-keys)."]


def _events(folder: Path) -> int | None:
    """Return how many events the history has; None where it can't be read, which keeps nobody from erasing it."""
    with suppress(MoodifyError), History(folder / DATABASE) as history:
        return history.status().events
    return None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
