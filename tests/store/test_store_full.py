"""A disk that is really full."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress

import pytest

from moodify import sqlite
from moodify.errors import PersonMustAct, RetryLater, StoreBusy, StoreError
from moodify.store import archive, reserve
from moodify.store.copying import copy_database
from moodify.store.database import connect
from moodify.store.history import History
from moodify.store.lock import FolderLock
from moodify.store.migrations import MIGRATIONS
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store


@pytest.fixture
def disk(small_disk):
    """A small disk with a database on it; ``fill()`` takes what is left, ``free()`` gives it back."""

    class Disk:
        path = small_disk / "moodify.db"
        ballast = small_disk / "ballast"

        def fill(self):
            with self.ballast.open("ab", buffering=0) as file:
                for size in (65_536, 4_096, 1):
                    try:
                        while True:
                            file.write(bytes(size))
                    except OSError:
                        continue
            assert shutil.disk_usage(small_disk).free == 0

        def free(self):
            self.ballast.unlink()

    prepare(Disk.path)
    return Disk()


def test_on_a_full_disk_nothing_is_half_written_and_all_goes_on_once_there_is_room(disk, event):
    with Store(disk.path) as store, History(disk.path) as history, Outbox(disk.path) as outbox, Settings(disk.path) as settings:
        store.record([event()])
        settings.put("privacy", True)
        disk.fill()
        # What is in the log already takes no new room, so not every write must fail.
        kept = 1
        with suppress(StoreBusy):
            for _ in range(100):
                store.record([event(text="x" * 50_000)])
                kept += 1
        assert kept < 50
        with pytest.raises(StoreBusy):
            settings.put("music", "x" * 100_000)
        assert (history.status().events, outbox.backlog()) == (kept, kept)
        assert settings.get("privacy") is True
        assert settings.get("music") is None
        disk.free()
        store.record([event()])
        settings.put("music", "y")
        assert outbox.backlog() == kept + 1


def test_a_start_on_a_full_disk_goes_on_with_the_room_that_was_kept(disk, event, monkeypatch):
    with monkeypatch.context() as less:
        less.setattr(reserve, "_TIMES", 1)
        prepare(disk.path)
    assert reserve.beside(disk.path).stat().st_size == reserve.BYTES
    assert reserve.beside(disk.path).stat().st_mode & 0o777 == 0o600
    with Settings(disk.path) as settings:
        settings.put("privacy", True)
    disk.fill()
    assert prepare(disk.path) is None
    assert not reserve.beside(disk.path).exists()
    with Store(disk.path) as store, Settings(disk.path) as settings, History(disk.path) as history:
        assert settings.get("privacy") is True
        store.record([event()])
        assert history.status().events == 1


def test_a_start_on_a_disk_that_is_full_to_the_last_byte_says_so_and_breaks_nothing(disk):
    before = disk.path.read_bytes()
    disk.fill()
    with pytest.raises(StoreBusy, match="free disk space"):
        prepare(disk.path)
    assert disk.path.read_bytes() == before
    assert not list(disk.path.parent.glob("*.corrupt.*"))
    disk.free()
    assert prepare(disk.path) is None


def test_a_database_whose_log_finds_no_room_says_so_and_not_that_it_belongs_to_another(path, monkeypatch):
    def cannot_open():
        with sqlite.mapped(path):
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error

    with pytest.raises(StoreError, match="belong"):
        cannot_open()
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**9, 10**9, 0))
    with pytest.raises(StoreBusy, match="free disk space"):
        cannot_open()


def test_room_is_kept_once_and_only_where_there_is_much(disk, path):
    assert not reserve.beside(disk.path).exists()
    written = reserve.beside(path).stat().st_mtime_ns
    assert prepare(path) is None
    assert reserve.beside(path).stat().st_mtime_ns == written


def test_a_backup_that_finds_no_room_leaves_the_one_before(disk, tmp_path, event):
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(3_000_000))
    file = disk.path.parent / "backup"
    archive.write(file, {"small": disk.path}, device=None, keys=False)
    before = file.read_bytes()
    with pytest.raises(StoreBusy, match="free disk space"):
        archive.write(file, {"big": big}, device=None, keys=False)
    assert file.read_bytes() == before
    assert not list(disk.path.parent.glob("*.new"))


def test_a_copy_on_a_full_disk_raises_no_error_of_sqlites(disk, path):
    disk.fill()
    with pytest.raises((RetryLater, PersonMustAct)):
        copy_database(path, disk.path.with_name("copy.db"))


def test_a_first_start_on_a_full_disk_says_so_and_the_next_one_begins_well(disk, event):
    path = disk.path.with_name("first") / "moodify.db"
    disk.fill()
    with pytest.raises(StoreBusy, match="free disk space"), FolderLock(path.parent):
        prepare(path)
    disk.free()
    with FolderLock(path.parent):
        assert prepare(path) is None
    with Store(path) as store, History(path) as history:
        store.record([event()])
        assert history.status().events == 1


def test_an_update_on_a_full_disk_leaves_the_version_before_and_is_done_once_there_is_room(disk, event):
    path = disk.path.with_name("older.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, closing(connect(path)) as db:
        sqlite.migrate(db, MIGRATIONS[:1])
        for n in range(200):
            connection.execute("INSERT INTO events (id, kind, at, data) VALUES (?, 'mood', '2026-01-01', '{}')", [str(n)])
            connection.execute("INSERT INTO outbox (items) VALUES (?)", [f'[{{"id":"{n}","kind":"mood","at":"2026-01-01T00:00:00+00:00","data":{{}}}}]'])
    disk.fill()
    with pytest.raises(StoreBusy, match="free disk space"):
        prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (200,)
    disk.free()
    assert prepare(path) is None
    with Outbox(path) as outbox, Store(path) as store:
        assert outbox.backlog() == 200
        store.record([event()])
        assert outbox.backlog() == 201


def test_a_backup_beside_the_appliance_on_a_disk_that_it_fills_leaves_the_appliance_whole(disk, event):
    with Store(disk.path) as store, History(disk.path) as history:
        for _ in range(12):
            store.record([event(text="x" * 50_000)])
        disk.fill()
        with pytest.raises(StoreBusy, match="free disk space"):
            copy_database(disk.path, disk.path.with_name("copy.db"))
        disk.free()
        disk.path.with_name("copy.db").unlink(missing_ok=True)
        store.record([event()])
        assert history.status().events == 13
