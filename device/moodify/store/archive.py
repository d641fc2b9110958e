"""A backup: one zip of whole files and ``moodify.json``, which says what it is and what each file must be.

It may hold keys and is somebody's history, so it is written for its owner alone (0600), and is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import lzma
import os
import shlex
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from moodify import __version__
from moodify.errors import CannotWork, PersonMustAct, StoreBusy
from moodify.files import private_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

_NOTE: Final = "moodify.json"
_PROGRAM: Final = "moodify-backup"
#: The note and the program of a hub's backup; an appliance's may hold a file of that name, and has a note of its own.
_HUB_NOTE: Final = "hub.json"
_HUB_PROGRAM: Final = "moodify-hub-backup"
#: What this program writes, and the newest that it reads.
FORMAT: Final = 1
#: A note of more bytes is none.
_NOTE_AT_MOST: Final = 64 * 1024
_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """What a backup says of itself."""

    written: datetime
    """UTC."""
    version: str
    """Of the Moodify that wrote it."""
    device: str | None
    """Whose it is; None for one that never had a key."""
    keys: bool
    """Whether the device's key and its sign-ins are in it."""
    files: Mapping[str, tuple[int, str]]
    """By name: bytes, and their SHA-256 in hex."""


def write(file: Path, members: Mapping[str, Path], *, device: str | None, keys: bool) -> Note:
    """Write a backup of files under the names that they are to have; return what it says.

    Raises:
        StoreBusy: the disk is full.
        PersonMustAct: something can't be read, or FILE is in a folder that can't be written.
    """
    with _whole(file) as out:
        return _pack(out, members, device, keys=keys)


def pack(out: BinaryIO, members: Mapping[str, Path], *, device: str | None, keys: bool) -> Note:
    """Write a backup of files, as :func:`write` does, into a file that has no name.

    Raises:
        StoreBusy: the disk is full.
        PersonMustAct: something can't be read.
    """
    try:
        return _pack(out, members, device, keys=keys)
    except OSError as error:
        raise _unusable(error, next(iter(members.values()))) from error


def read_note(file: Path) -> Note:
    """Return what a backup says of itself.

    Raises:
        PersonMustAct: there is no such file, it is no backup or a hub's, or a newer Moodify wrote it.
    """
    with _reading(file), zipfile.ZipFile(file) as archive:
        return _read_note(archive, file)


def unpack(file: Path, into: Path, names: Collection[str]) -> Note:
    """Write the files of a backup that are among ``names`` into a folder, each for its owner alone; return what the backup says.

    Raises:
        StoreBusy: the disk is full.
        PersonMustAct: there is no such file, it is damaged, no backup or a hub's, or a newer Moodify wrote it.
    """
    with _reading(file), zipfile.ZipFile(file) as archive:
        note = _read_note(archive, file)
        for name, (size, digest) in note.files.items():
            if name in names and _take(archive, name, into / name, size) != digest:
                raise zipfile.BadZipFile(name)
    return note


def _pack(out: BinaryIO, members: Mapping[str, Path], device: str | None, *, keys: bool) -> Note:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {name: _add(archive, name, path) for name, path in members.items()}
        note = Note(datetime.now(UTC), __version__, device, keys, files)
        archive.writestr(_NOTE, json.dumps(_as_json(note), indent=1))
    return note


def _as_json(note: Note) -> dict[str, Any]:
    files = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in note.files.items()}
    return {"program": _PROGRAM, "format": FORMAT, "written": note.written.isoformat(), "version": note.version, "device": note.device, "keys": note.keys, "files": files}


def _read_note(archive: zipfile.ZipFile, file: Path) -> Note:
    if _NOTE not in archive.namelist() and _said(archive, _HUB_NOTE)["program"] == _HUB_PROGRAM:
        raise PersonMustAct(f"{file} is a hub's backup; restore it with: {shlex.join(['moodify', 'hub', 'restore', str(file)])}. Nothing was changed")
    said = _said(archive, _NOTE)
    if said["program"] != _PROGRAM:
        raise zipfile.BadZipFile(said["program"])
    if said["format"] > FORMAT:
        raise PersonMustAct(f"{file} was written by a newer Moodify ({said['version']}, this is {__version__}); install that again to restore it, nothing was changed")
    files = {str(name): (int(each["bytes"]), str(each["sha256"])) for name, each in said["files"].items()}
    return Note(datetime.fromisoformat(said["written"]), str(said["version"]), None if said["device"] is None else str(said["device"]), bool(said["keys"]), files)


def _said(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as packed:
        return json.loads(packed.read(_NOTE_AT_MOST))


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as plain, archive.open(name, "w", force_zip64=True) as packed:
        while piece := plain.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            packed.write(piece)
    return size, digest.hexdigest()


def _take(archive: zipfile.ZipFile, name: str, to: Path, size: int) -> str:
    digest, taken = hashlib.sha256(), 0
    with archive.open(name) as packed, os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as plain:
        while taken <= size and (piece := packed.read(_PIECE)):
            digest.update(piece)
            taken += len(piece)
            plain.write(piece)
        plain.flush()
        os.fsync(plain.fileno())
    return digest.hexdigest()


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PersonMustAct(f"{file}: there is no such file; name what moodify backup wrote") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, NotImplementedError, RuntimeError) as error:
        raise _damaged(file) from error
    except OSError as error:
        if error.errno is None:
            # The system has said nothing: it is what bz2 calls its data.
            raise _damaged(file) from error
        raise _unusable(error, file) from error


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    try:
        with private_file(file) as out:
            yield out
    except OSError as error:
        raise _unusable(error, file) from error


def _damaged(file: Path) -> PersonMustAct:
    return PersonMustAct(f"{file} is damaged, or no backup that moodify backup wrote; take another, nothing was changed")


def _unusable(error: OSError, file: Path) -> StoreBusy | PersonMustAct:
    where = error.filename or file
    if error.errno == errno.ENOSPC:
        return StoreBusy(f"{where}: {error.strerror}; free disk space, and try again")
    return PersonMustAct(f"{where}: {error.strerror}; name a file that the user who runs this may use")


def check_replaceable(file: Path) -> None:
    """See that writing a backup to ``file`` would take the place of nothing but an older one.

    Raises:
        CannotWork: something else is there.
    """
    if not file.exists():
        return
    try:
        read_note(file)
    except PersonMustAct as error:
        raise CannotWork(f"{file} is there and is no backup of Moodify's; name another file, nothing was changed") from error
