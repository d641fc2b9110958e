"""Private files: whole or not at all, and for their owner alone."""

import os
from pathlib import Path

import pytest

from moodify.files import beside, put_in_place, write_private


class PowerCut(BaseException):
    pass


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "note.json"


def test_a_file_and_its_folder_are_made_for_their_owner_alone(file):
    old = os.umask(0)
    try:
        write_private(file, b"first")
    finally:
        os.umask(old)
    assert file.read_bytes() == b"first"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_others_could_read_is_replaced_by_what_they_can_not(file):
    file.parent.mkdir()
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_private(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
    assert list(file.parent.iterdir()) == [file]


def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside(file, monkeypatch):
    write_private(file, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_what_a_crash_left_beside_can_be_put_in_place_and_only_once(file, monkeypatch):
    write_private(file, b"old")

    def cut(*_):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(type(file), "replace", cut)
        with pytest.raises(PowerCut):
            write_private(file, b"new")
    assert (file.read_bytes(), beside(file).read_bytes()) == (b"old", b"new")
    put_in_place(file)
    put_in_place(file)
    assert (file.read_bytes(), beside(file).exists()) == (b"new", False)


def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(file, monkeypatch):
    write_private(file, b"old")
    done = []
    fsync, replace = os.fsync, type(file).replace
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(str(Path(f"/proc/self/fd/{handle}").readlink())) or fsync(handle))
    monkeypatch.setattr(type(file), "replace", lambda source, target: done.append("replace") or replace(source, target))
    write_private(file, b"new")
    assert done == [str(beside(file)), "replace", str(file.parent)]


def test_a_stale_half_file_or_a_trap_beside_is_not_written_through(file, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    file.parent.mkdir()
    beside(file).symlink_to(elsewhere)
    write_private(file, b"new")
    assert (file.read_bytes(), elsewhere.read_bytes()) == (b"new", b"mine")
    assert not file.is_symlink()
