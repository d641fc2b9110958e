"""Backups: whole or not at all, and nothing but backups."""

from __future__ import annotations

import json
import zipfile

import pytest

from moodify.errors import CannotWork, PersonMustAct
from moodify.store import archive


@pytest.fixture
def file(tmp_path):
    """A backup of two files."""
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode() * 100_000)
    file = tmp_path / "backup"
    archive.write(file, {name: tmp_path / name for name in ("one", "two")}, device="m-abcdefghijklmnop", keys=True)
    return file


def changed(file, change):
    """Write the backup again with its note changed."""
    with zipfile.ZipFile(file) as before:
        content = {name: before.read(name) for name in before.namelist()}
    note = json.loads(content["moodify.json"])
    change(note)
    content["moodify.json"] = json.dumps(note).encode()
    with zipfile.ZipFile(file, "w") as after:
        for name, each in content.items():
            after.writestr(name, each)


def test_what_was_written_comes_back_for_its_owner_alone(file, tmp_path):
    assert file.stat().st_mode & 0o777 == 0o600
    into = tmp_path / "into"
    into.mkdir()
    note = archive.unpack(file, into, {"one", "three"})
    assert (note.device, note.keys, set(note.files)) == ("m-abcdefghijklmnop", True, {"one", "two"})
    assert [(each.name, each.stat().st_mode & 0o777) for each in into.iterdir()] == [("one", 0o600)]
    assert (into / "one").read_bytes() == b"one" * 100_000


@pytest.mark.parametrize("damage", ["cut short", "a byte", "no zip", "empty", "another program", "another digest", "no note", "no list"])
def test_what_is_no_whole_backup_is_refused(file, tmp_path, damage):
    content = bytearray(file.read_bytes())
    match damage:
        case "cut short":
            file.write_bytes(content[: len(content) // 2])
        case "a byte":
            # In the middle of what the first file was packed to.
            content[80] ^= 0xFF
            file.write_bytes(content)
        case "no zip":
            file.write_bytes(b"a letter to a friend\n" * 1000)
        case "empty":
            file.write_bytes(b"")
        case "another program":
            changed(file, lambda note: note.update(program="moodify-hub-backup"))
        case "another digest":
            changed(file, lambda note: note["files"]["one"].update(sha256="0" * 64))
        case "no list":
            changed(file, lambda note: note.update(files=["one"]))
        case "no note":
            with zipfile.ZipFile(file, "w") as other:
                other.writestr("one", b"one")
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(PersonMustAct, match="take another, nothing was changed"):
        archive.unpack(file, into, {"one", "two"})


def test_a_backup_of_a_newer_moodify_says_which(file, tmp_path):
    changed(file, lambda note: note.update(format=archive.FORMAT + 1, version="9.0"))
    with pytest.raises(PersonMustAct, match=r"newer Moodify \(9\.0"):
        archive.unpack(file, tmp_path, {"one"})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PersonMustAct, match="there is no such file"):
        archive.read_note(tmp_path / "nowhere")


def test_only_a_backup_is_replaced_by_a_backup(file, tmp_path):
    archive.check_replaceable(tmp_path / "nowhere")
    archive.check_replaceable(file)
    with pytest.raises(CannotWork, match="name another file"):
        archive.check_replaceable(tmp_path / "one")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(PersonMustAct, match="nowhere"):
        archive.write(tmp_path / "nowhere" / "backup", {}, device=None, keys=False)
