from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from moodify import sqlite
from moodify.errors import StoreBusy, StoreError
from moodify.store import database, migrations
from moodify.store.history import History
from moodify.store.lock import FolderLock, is_held
from moodify.store.outbox import Outbox
from moodify.store.prepare import examine, prepare
from moodify.store.settings import Settings
from moodify.store.store import Store


def test_only_its_owner_may_read_the_database(path, event):
    with Store(path) as store:
        store.record([event()])
        modes = {part.name: part.stat().st_mode & 0o777 for part in path.parent.iterdir()}
    assert modes == dict.fromkeys(("moodify.db", "moodify.db-wal", "moodify.db-shm", "moodify.db.reserve"), 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_preparing_again_keeps_the_history_and_the_epoch(path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        before = outbox.unsent()
    assert prepare(path) is None
    with Outbox(path) as outbox:
        assert outbox.unsent() == before


def test_a_first_start_that_is_killed_in_the_middle_of_a_write_is_taken_back_by_the_next(path, tmp_path):
    fresh = tmp_path / "fresh" / "moodify.db"
    fresh.parent.mkdir()
    with closing(sqlite3.connect(tmp_path / "making.db", isolation_level=None)) as making:
        making.execute("CREATE TABLE half (text TEXT)")
        making.execute("DROP TABLE half")
        making.execute("PRAGMA cache_size = 2")
        making.execute("BEGIN IMMEDIATE")
        making.execute("CREATE TABLE half (text TEXT)")
        making.executemany("INSERT INTO half VALUES (?)", [["x" * 3_000]] * 20)
        # What a kill leaves at this moment: pages of a transaction that was never committed, and the journal to take them back by.
        for suffix in ("", "-journal"):
            fresh.with_name(fresh.name + suffix).write_bytes((tmp_path / f"making.db{suffix}").read_bytes())
    assert prepare(fresh) is None
    with closing(sqlite3.connect(fresh)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchall() == []


@pytest.mark.parametrize("damage", ["garbage", "torn page", "cut short"])
def test_a_damaged_database_is_set_aside_whole_and_a_fresh_one_takes_its_place(path, event, damage):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event(text="x" * 30_000) for _ in range(5)])
        old = outbox.unsent()[0].epoch
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content = bytearray(b"no database at all" * 1_000)
    elif damage == "torn page":
        content[4096:20_000] = b"\xa5" * (20_000 - 4096)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    path.with_name("moodify.db-wal").write_bytes(b"of the old one")
    aside = prepare(path)
    assert aside is not None
    assert aside.name.startswith("moodify.db.corrupt.")
    assert aside.read_bytes() == content
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"of the old one"
    with Store(path) as store, Outbox(path) as outbox, History(path) as history:
        assert history.recent(1) == []
        store.record([event()])
        (message,) = outbox.unsent()
    assert message.epoch != old
    assert message.seq == 1


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_was(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.NEWEST + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer Moodify .*; install that again"):
        prepare(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "moodify.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        prepare(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_filled(tmp_path):
    path = tmp_path / "moodify.db"
    path.touch()
    assert prepare(path) is None
    with History(path) as history:
        assert history.status().events == 0


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path):
    tmp_path.joinpath("file").touch()
    with pytest.raises(StoreError, match=r"\[store\] folder"):
        prepare(tmp_path / "file" / "moodify.db")


def test_a_migration_that_fails_leaves_the_version_before_it(path, monkeypatch):
    def stumble(db):
        db.execute("CREATE TABLE half (done)")
        db.execute("SELECT no_such_function()")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, stumble))
    with pytest.raises(StoreError):
        prepare(path)
    with closing(database.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(migrations.MIGRATIONS) - 1
        assert "half" not in db.table_names()


def test_a_lock_that_is_held_too_long_is_busy(path, event, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    with Store(path) as store, Settings(path) as settings, Outbox(path) as outbox, sqlite.transaction(store._db):
        for write in (lambda: settings.put("privacy", True), lambda: outbox.delivered("e", [(1, 1)])):
            with pytest.raises(StoreBusy, match="locked"):
                write()


USE = {Store: lambda store: store.record([]), History: History.status, Outbox: Outbox.unsent, Settings: lambda settings: settings.get("privacy")}


@pytest.mark.parametrize("open_it", USE)
def test_no_error_of_sqlite_escapes_when_the_file_is_missing_or_turns_bad(path, open_it):
    with pytest.raises(StoreError):
        open_it(path.with_name("nowhere.db"))
    with open_it(path) as opened:
        opened._db.close()
        with pytest.raises(StoreError):
            USE[open_it](opened)


def test_a_database_that_turns_bad_while_it_runs_says_to_restart(path, event):
    with Store(path) as store:
        store.record([event(text="x" * 5_000) for _ in range(50)])
    with History(path) as history:
        path.write_bytes(b"\xa5" * path.stat().st_size)
        with pytest.raises(StoreError, match="restart Moodify"):
            history.recent(10)


def test_what_one_thread_opens_another_may_use(path, event):
    with Store(path) as store, History(path) as history:
        thread = threading.Thread(target=store.record, args=([event()],))
        thread.start()
        thread.join()
        assert history.status().events == 1


def test_settings_survive_and_are_replaced_as_a_whole(path):
    with Settings(path) as settings:
        assert settings.get("music.recent", []) == []
        settings.put("music.recent", ["spotify:track:a", "spotify:track:b"])
        settings.put("music.recent", ["spotify:track:c"])
        settings.put("privacy", True)
    with Settings(path) as settings:
        assert settings.get("music.recent") == ["spotify:track:c"]
        assert settings.get("privacy") is True


def test_one_folder_serves_one_moodify_at_a_time(tmp_path):
    with FolderLock(tmp_path / "state"), pytest.raises(StoreError, match=r"another Moodify \(process \d+\)"):
        FolderLock(tmp_path / "state")
    FolderLock(tmp_path / "state").close()


def test_whether_a_moodify_uses_a_folder_can_be_seen_without_a_trace(tmp_path):
    folder = tmp_path / "state"
    assert not is_held(folder)
    assert not folder.exists()
    with FolderLock(folder):
        assert is_held(folder)
        written = (folder / "moodify.lock").read_bytes()
    assert not is_held(folder)
    assert (folder / "moodify.lock").read_bytes() == written
    FolderLock(folder).close()


def test_a_folder_in_the_databases_place_is_refused(tmp_path):
    (tmp_path / "moodify.db").mkdir()
    with pytest.raises(StoreError, match="is no file; move it away"):
        prepare(tmp_path / "moodify.db")


def test_looking_at_a_database_writes_nothing(tmp_path):
    path = tmp_path / "moodify.db"
    assert examine(path) is None
    assert not path.exists()
    path.write_bytes(b"not a database" * 1000)
    assert examine(path) == "file is not a database"
    assert path.read_bytes() == b"not a database" * 1000
