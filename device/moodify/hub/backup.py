"""All of a hub in one file: database, configuration, certificate and the admin token's hash.

A zip with the files of the hub's folder, ``database.zip`` (:mod:`moodify.hub.database.backup`) and ``hub.json``, which says what it is.
It holds the certificate's key and every device's history, so it is written for its owner alone (0600).
"""

from __future__ import annotations

import contextlib
import json
import lzma
import shutil
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from moodify.errors import PersonMustAct, StoreBusy
from moodify.files import private_file, sync_folder, write_private
from moodify.hub.config import HubConfig, load
from moodify.hub.database import open_database
from moodify.hub.setup import database_target
from moodify.store.lock import FolderLock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from moodify.hub.database import Database
    from moodify.hub.folder import HubFolder

_NOTE: Final = "hub.json"
_DATABASE: Final = "database.zip"
_PROGRAM: Final = "moodify-hub-backup"
_FORMAT: Final = 1
#: A configuration or certificate of more bytes is none.
_SMALL: Final = 1024 * 1024


def back_up(folder: HubFolder, database: Database, file: Path) -> int:
    """Write a backup, whole or not at all, while the hub goes on; return how many rows of the database it holds.

    Raises:
        StoreBusy: the database or the disk can't be used now.
        StoreError: the database can't be used.
        PersonMustAct: a file of the hub can't be read, or FILE is in a folder that can't be written.
    """
    with TemporaryDirectory(prefix="backup-", dir=folder.run) as temporary, _whole(file) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        dumped = Path(temporary) / _DATABASE
        rows = database.dump(dumped)
        archive.writestr(_NOTE, json.dumps({"program": _PROGRAM, "format": _FORMAT, "written": datetime.now(UTC).isoformat()}))
        for each in _kept(folder):
            if each.exists():
                archive.write(each, each.name)
        archive.write(dumped, _DATABASE)
    return rows


def restore(folder: HubFolder, file: Path) -> int:
    """Make a hub of a backup in a folder where there is none, or one that was restored by half; return how many rows its database holds. All of it or nothing.

    Raises:
        PersonMustAct: there is a hub in the folder already, there is no room for what the file holds, or it is no whole backup.
        StoreBusy, StoreError: the database can't be used, or is not empty.
    """
    _refuse_another(folder)
    with _reading(folder, file):
        _examine(file, folder)
    folder.make()
    with FolderLock(folder.path, other="name another folder with --folder"):
        # Anew: to look at a large file takes its time.
        _refuse_another(folder)
        try:
            with _reading(folder, file):
                # Where it is cut off, what is there is no hub, and the next restore begins anew.
                write_private(folder.restoring, b"")
                _remove(folder)
                rows = _put_back(folder, file)
                folder.restoring.unlink()
                sync_folder(folder.path)
                return rows
        except BaseException:
            _remove(folder)
            folder.restoring.unlink(missing_ok=True)
            raise


def _refuse_another(folder: HubFolder) -> None:
    there = [each.name for each in (*_kept(folder), folder.database) if each.exists()]
    if there and not folder.restoring.exists():
        raise PersonMustAct(f"there is a hub in {folder.path} already ({', '.join(there)}); name a fresh folder with --folder, nothing was changed")


def _remove(folder: HubFolder) -> None:
    for each in (*_kept(folder), *folder.path.glob(f"{folder.database.name}*")):
        each.unlink(missing_ok=True)


def _examine(file: Path, folder: HubFolder) -> None:
    """See that a file is a whole backup for which there is room, before anything is made for it."""
    with zipfile.ZipFile(file) as archive:
        note = json.loads(_small(archive, _NOTE))
        if note["program"] != _PROGRAM or note["format"] != _FORMAT:
            raise PersonMustAct(f"{file} was written by another version of Moodify; install that to restore it")
        archive.getinfo(_DATABASE)
        _check_room(folder, file, archive.infolist())
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(damaged)


def _put_back(folder: HubFolder, file: Path) -> int:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        for each in _kept(folder):
            if each.name in names:
                write_private(each, _small(archive, each.name))
        with TemporaryDirectory(prefix="restore-", dir=folder.run) as temporary:
            dumped = Path(temporary) / _DATABASE
            with archive.open(_DATABASE) as packed, dumped.open("xb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            # A hub beside an appliance has no configuration.
            found = load(folder.config) if folder.config.exists() else HubConfig()
            target = database_target(folder, found)
            if isinstance(target, Path):
                with zipfile.ZipFile(dumped) as tables:
                    _check_room(folder, file, tables.infolist())
            with open_database(target) as database:
                return database.load(dumped)


def _check_room(folder: HubFolder, file: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """See that the disk takes what is unpacked: a few kilobytes may say that they are terabytes. Of a member no more is read than it says (zipfile)."""
    place = next(each for each in (folder.path, *folder.path.parents) if each.exists())
    wanted, free = sum(member.file_size for member in members), shutil.disk_usage(place).free
    if wanted > free:
        raise PersonMustAct(
            f"{file} unpacks to {wanted // 1_000_000} MB, and the disk of {place} has {free // 1_000_000} MB free; free disk space, or name another folder with --folder"
        )


@contextlib.contextmanager
def _reading(folder: HubFolder, file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PersonMustAct(f"{file}: there is no such file; name what moodify hub backup wrote") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise PersonMustAct(f"{file} is no whole backup of a hub; take another") from error
    except OSError as error:
        if error.errno is None:
            # The system has said nothing: it is what bz2 calls its data.
            raise PersonMustAct(f"{file} is no whole backup of a hub; take another") from error
        raise PersonMustAct(f"{error.filename or file}: {error.strerror}; free disk space, or give {folder.path} to the user that runs the hub") from error


def _kept(folder: HubFolder) -> tuple[Path, ...]:
    return folder.config, folder.certificate, folder.key, folder.admin


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as packed:
        content = packed.read(_SMALL + 1)
    if len(content) > _SMALL:
        raise ValueError(f"{name} is too large")
    return content


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    try:
        with private_file(file) as out:
            yield out
    except OSError as error:
        raise StoreBusy(f"{error.filename or file}: {error.strerror}; name a file in a folder that can be written, and free disk space if it is short") from error
