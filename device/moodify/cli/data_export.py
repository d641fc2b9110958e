"""``moodify export``: what is kept, as JSON and CSV that people and other programs can read (docs/data.md). No keys, tokens and passwords."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import typer

from moodify.cli.data_sheets import Sheets
from moodify.cli.person import require_owner
from moodify.config import document, find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import CannotWork, PersonMustAct, StoreBusy
from moodify.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


def export(config_file: Path | None, target: Path) -> int:
    """Write an export, whole or not at all, while the appliance runs or not; return the exit code.

    Raises:
        PersonMustAct: there is nothing yet, or the target can't be written.
        CannotWork: something is at ``target`` already.
        StoreBusy, StoreError: a database can't be used, or the disk is full.
    """
    config = load(find(config_file))
    folder = folder_of(config)
    require_owner(folder)
    if not (folder / DATABASE).is_file():
        raise PersonMustAct(f"there is nothing to export in {folder} yet; the first run of Moodify makes it")
    _check_free(target)
    with _whole(target.absolute()) as place:
        sheets = Sheets(place)
        sheets.history(folder / DATABASE)
        sheets.settings(folder / DATABASE)
        sheets.people(folder / DATABASE)
        sheets.songs(folder)
        sheets.device(folder)
        sheets.text("configuration.toml", "The configuration as it holds, with defaults; secrets are masked.", document.effective(config))
        sheets.manifest()
    for sheet in sheets.written:
        typer.echo(f"{sheet.name:<20}{sheet.rows if sheet.rows is not None else '':>8}  {sheet.about}")
    typer.echo(f"{target} is your history: it is readable for you alone. It holds no keys, no passwords and no sign-ins.")
    return 0


def _check_free(target: Path) -> None:
    if target.is_dir() and target.suffix != ".zip" and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise CannotWork(f"{target} is there already; name another, or an empty folder. Nothing was changed")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Give a private folder to write into; what is in it becomes the target once it is whole."""
    place = None
    try:
        place = Path(mkdtemp(prefix=".moodify-export-", dir=target.parent))
        yield place
        if target.suffix == ".zip":
            _pack(place, target)
        else:
            # A rename takes the place of an empty folder.
            place.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        where = error.filename or target
        if error.errno == errno.ENOSPC:
            raise StoreBusy(f"{where}: {error.strerror}; free disk space, and export again") from error
        raise PersonMustAct(f"{where}: {error.strerror}; name a place that the user who runs this can write") from error
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)


def _pack(place: Path, target: Path) -> None:
    packed = place / target.name
    files = sorted(place.iterdir())
    with os.fdopen(os.open(packed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, f"{target.stem}/{file.name}")
        out.flush()
        os.fsync(out.fileno())
    packed.rename(target)
