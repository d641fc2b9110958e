"""``moodify restore``: an appliance goes on from a backup; what was there is set aside."""

from __future__ import annotations

import errno
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from moodify.cli.person import require_owner
from moodify.config import find, load
from moodify.daemon.data_places import CATALOGUE, CONFIGURATION, KINDS, RESTORED_CONFIGURATION, RESTORING, InBackup, found, refuse_while_running
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import PersonMustAct, StoreBusy, StoreError
from moodify.files import sync_folder
from moodify.sqlite import Damaged
from moodify.store import reserve
from moodify.store.aside import name_of, setting_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.store.archive import Note


def restore(config_file: Path | None, file: Path) -> int:
    """Put a backup in the place of what there is, all of it or nothing; return the exit code.

    Raises:
        PersonMustAct: Moodify is running, or the file is no backup, damaged, or of a newer Moodify.
        StoreBusy: the disk is full.
        StoreError: a database of it is damaged or of a newer Moodify, or the folder can't be used.
    """
    from moodify.store.copying import settle
    from moodify.store.lock import FolderLock

    configuration = find(config_file)
    folder = folder_of(load(configuration))
    require_owner(folder)
    refuse_while_running(folder, "restore, and start it again")
    with FolderLock(folder), _ready_folder(folder) as temporary:
        ready = Path(temporary)
        note, waiting, configured = _get_ready(folder, file, ready, configuration)
        for name in (DATABASE, CATALOGUE):
            # A power cut must not leave it without its log, which goes before it.
            settle(folder / name)
        aside = _swap(folder, ready, keys=note.keys)
    _tell(folder, note, waiting, aside, configured=configured)
    return 0


def _ready_folder(folder: Path) -> TemporaryDirectory[str]:
    try:
        # Of a restore that was cut off; keys may be in it.
        for left in folder.glob(f"{RESTORING}*"):
            shutil.rmtree(left)
        return TemporaryDirectory(prefix=RESTORING, dir=folder)
    except OSError as error:
        raise _unusable(folder, error) from error


def _get_ready(folder: Path, file: Path, ready: Path, configuration: Path | None) -> tuple[Note, int, bool]:
    """Unpack the backup and prove it; return what it says, how many messages wait in it, and whether it brings another configuration."""
    from moodify.music.catalogue.database import mapped
    from moodify.music.catalogue.opening import check_file
    from moodify.store import archive
    from moodify.store.copying import take_up

    names = {kind.name for kind in KINDS if kind.backup is not InBackup.NEVER}
    try:
        note = archive.unpack(file, ready, {*names, CONFIGURATION})
        if DATABASE not in note.files:
            raise PersonMustAct(f"{file} holds no {DATABASE}; take another backup, nothing was changed")
        waiting = take_up(ready / DATABASE)
        with mapped(ready / CATALOGUE):
            check_file(ready / CATALOGUE)
        _keep_privacy(folder / DATABASE, ready / DATABASE)
        if not note.keys:
            _keep_accounts(folder / DATABASE, ready / DATABASE)
        return note, waiting, _has_another(ready / CONFIGURATION, configuration)
    except Damaged as error:
        raise StoreError(f"{file}: a database in it is damaged ({error.found}); take another backup, nothing was changed") from error
    except StoreError as error:
        raise StoreError(f"{file} can't be restored: {error}. Nothing was changed") from error
    except OSError as error:
        raise _unusable(folder, error) from error


def _keep_privacy(present: Path, coming: Path) -> None:
    """Keep the camera closed where it is now, whatever it was, or was asked for, when the backup was made."""
    from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY
    from moodify.daemon.privacy import ByHand
    from moodify.store.settings import DAMAGED, Settings

    with Settings(coming) as settings:
        settings.remove(PRIVACY_ASKED_KEY, settings.get(PRIVACY_ASKED_KEY))
    if not present.is_file() or not present.stat().st_size:
        return
    try:
        with Settings(present) as settings:
            kept = settings.get(PRIVACY_KEY)
    except StoreError:
        # It may be replaced for that reason; what it says of privacy may still be read, and where it may not it was on.
        kept = setting_of(present, PRIVACY_KEY)
    if ByHand.from_json(kept).closed:
        with Settings(coming) as settings:
            settings.put(PRIVACY_KEY, ByHand(closed=True, origin="damage").as_json() if kept == DAMAGED else kept)


def _keep_accounts(present: Path, coming: Path) -> None:
    """Let those who have an account here go on having it, where the backup has nobody's."""
    from moodify.store.copying import keep_accounts

    if not present.is_file() or not present.stat().st_size:
        return
    # One that can't be read is being replaced for that reason.
    with suppress(StoreError):
        keep_accounts(present, coming)


def _has_another(restored: Path, present: Path | None) -> bool:
    """Give the backup's configuration its name, where it says other than the present one."""
    if not restored.exists():
        return False
    if present is not None and present.is_file() and present.read_bytes() == restored.read_bytes():
        restored.unlink()
        return False
    restored.rename(restored.with_name(RESTORED_CONFIGURATION))
    return True


def _swap(folder: Path, ready: Path, *, keys: bool) -> Path | None:
    """Set aside what is replaced and put what is ready in its place; return where the former is, None where there was nothing."""
    coming = {kind.name for kind in KINDS if (ready / kind.name).exists()}
    # Key, id, hub and sign-ins belong together: none of this device's stays beside another's.
    leaving = {kind.name for kind in KINDS if kind.name in coming or (keys and kind.backup is InBackup.WITH_KEYS)}
    aside = folder / name_of(datetime.now(UTC))
    undo: list[Callable[[], object]] = []
    try:
        aside.mkdir(mode=0o700)
        undo.append(aside.rmdir)
        for path in (path for kind in KINDS if kind.name in leaving for path in found(folder, kind) if path != reserve.beside(folder / DATABASE)):
            away = aside / path.name
            if path.name in coming:
                # It stands until the new one takes its place, so that no power cut leaves neither.
                away.hardlink_to(path)
                undo.append(partial(away.unlink, missing_ok=True))
            else:
                # A log among them: the new database must never meet the old one's.
                path.rename(away)
                undo.append(partial(away.rename, path))
        sync_folder(aside)
        sync_folder(folder)
        for name in sorted(coming):
            (ready / name).rename(folder / name)
            away = aside / name
            undo.append(partial(away.rename, folder / name) if away.exists() else (folder / name).unlink)
        sync_folder(folder)
    except BaseException as error:
        for step in reversed(undo):
            step()
        if isinstance(error, OSError):
            raise _unusable(folder, error) from error
        raise
    if any(aside.iterdir()):
        return aside
    aside.rmdir()
    return None


def _tell(folder: Path, note: Note, waiting: int, aside: Path | None, *, configured: bool) -> None:
    whose = "" if note.device is None else f" of {note.device}"
    typer.echo(f"{folder} goes on from the backup{whose} of {note.written.astimezone():%Y-%m-%d %H:%M}.")
    if waiting:
        typer.echo(f"{waiting} summaries wait to be sent; what the hub has of them already counts once.")
    if aside is not None:
        typer.echo(f"What was there is kept in {aside}: delete it once you miss nothing.")
    if note.keys:
        typer.echo("The device's key came with it. Never run two devices with one key: where the other still runs, end it, or erase it with: moodify erase")
        typer.echo("Accounts are those of then, and everybody signs in anew on the page.")
        typer.echo("If Spotify has renewed the sign-in since the backup, sign in again: moodify spotify login")
    else:
        typer.echo("It holds no keys and no accounts: the device keeps those that it has, or makes a key. For Spotify, where nobody is signed in: moodify spotify login")
    if configured:
        typer.echo(f"The configuration of then is in {folder / RESTORED_CONFIGURATION}; yours was left as it is.")
    typer.echo("Start it: sudo systemctl start moodify, or moodify run")


def _unusable(folder: Path, error: OSError) -> StoreBusy | StoreError:
    where = error.filename or folder
    if error.errno == errno.ENOSPC:
        return StoreBusy(f"{where}: {error.strerror}; free disk space and restore again, nothing was changed")
    return StoreError(f"{where}: {error.strerror}; give {folder} to the user that runs Moodify. Nothing was changed")
