"""Copies of a database that is in use, and how a copy goes on."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from moodify.errors import StoreBusy, StoreError
from moodify.sqlite import Damaged
from moodify.store.copying import copy_database, keep_accounts, take_up
from moodify.store.history import History
from moodify.store.outbox import Outbox
from moodify.store.settings import Settings
from moodify.store.store import Store
from waiting import wait_until


def events_and_items(path):
    with closing(sqlite3.connect(path)) as connection:
        events = {row[0] for row in connection.execute("SELECT id FROM events")}
        items = {item["id"] for (text,) in connection.execute("SELECT items FROM outbox") for item in json.loads(text)}
    return events, items


def test_a_copy_of_a_database_that_is_written_is_one_moment_of_it(path, tmp_path, event):
    ended = threading.Event()

    def write():
        with Store(path) as store:
            while not ended.is_set():
                store.record([event(text="x" * 2_000) for _ in range(3)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []

        def copy_anew():
            copy = tmp_path / f"copy{len(sizes)}.db"
            copy_database(path, copy)
            events, items = events_and_items(copy)
            assert events == items
            assert len(events) % 3 == 0
            assert [each.name for each in tmp_path.glob(f"{copy.name}*")] == [copy.name]
            sizes.append(len(events))
            return len(sizes) >= 8 and sizes[-1] > sizes[0]

        # On a slow disk many copies may be of one moment.
        wait_until(copy_anew, within_s=60, what="a copy of a later moment")
    finally:
        ended.set()
        writer.join()
    assert sizes == sorted(sizes)


def test_a_copy_is_for_its_owner_alone(path, tmp_path):
    copy_database(path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_copy_goes_on_under_a_new_epoch_with_numbers_from_one(path, tmp_path, event):
    with Store(path) as store, Outbox(path) as outbox, Settings(path) as settings:
        for _ in range(6):
            store.record([event()])
        epoch = outbox.unsent()[0].epoch
        outbox.delivered(epoch, [(1, 2), (4, 4)])
        outbox.refused(epoch, 6, "too large")
        settings.put("taste", {"format": 1})
        before = [json.loads(message.payload)["items"] for message in outbox.unsent()]
    copy = tmp_path / "copy.db"
    copy_database(path, copy)
    assert take_up(copy) == 3
    with Store(copy) as store, Outbox(copy) as outbox, Settings(copy) as settings, History(copy) as history:
        store.record([event()])
        waiting = outbox.unsent()
        assert [message.seq for message in waiting] == [1, 2, 4]
        assert {message.epoch for message in waiting} != {epoch}
        assert [json.loads(message.payload)["items"] for message in waiting][:2] == before
        assert history.status().events == 7
        assert history.status().refused == 1
        assert settings.get("taste") == {"format": 1}
    with Outbox(path) as outbox:
        assert outbox.unsent()[0].epoch == epoch


def test_an_acknowledgement_of_the_outbox_before_forgets_nothing_in_the_copy(path, tmp_path, event):
    with Store(path) as store, Outbox(path) as outbox:
        store.record([event()])
        epoch = outbox.unsent()[0].epoch
    copy_database(path, tmp_path / "copy.db")
    take_up(tmp_path / "copy.db")
    with Outbox(tmp_path / "copy.db") as outbox:
        outbox.delivered(epoch, [(1, 1)])
        assert outbox.backlog() == 1


def test_an_outbox_that_never_held_anything_can_be_taken_up(path, tmp_path, event):
    copy_database(path, tmp_path / "copy.db")
    assert take_up(tmp_path / "copy.db") == 0
    with Store(tmp_path / "copy.db") as store, Outbox(tmp_path / "copy.db") as outbox:
        store.record([event()])
        assert [message.seq for message in outbox.unsent()] == [1]


ANN = ("INSERT INTO users VALUES ('1', 'ann@home.example', 'Ann', '', 'owner', 1, '', '', '{}', NULL, NULL, NULL, 'hash', 0, NULL)",)
SIGNED_IN = (
    "INSERT INTO sessions VALUES ('1', '1', 'Firefox', '', '', '', 'hash')",
    "INSERT INTO codes VALUES ('1', 'invitation', 'member', 'Bo', '1', '', '', '', 'hash')",
)


SKIN = ("INSERT INTO skin_people VALUES ('1', '2026-03-01T12:00:00.000000+00:00', 1)", "INSERT INTO skin_looks VALUES ('1', '1', '', '{}')")


def executed(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for each in statements:
            connection.execute(each)


def accounts_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("users", "sessions", "codes")]


def test_in_a_copy_that_goes_on_nobody_is_signed_in_and_no_code_is_good(path, tmp_path):
    executed(path, *ANN, *SIGNED_IN)
    copy_database(path, tmp_path / "copy.db")
    assert accounts_in(tmp_path / "copy.db") == [1, 1, 1]
    take_up(tmp_path / "copy.db")
    assert accounts_in(tmp_path / "copy.db") == [1, 0, 0]


def skin_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT people.shared, looks.record FROM skin_people AS people JOIN skin_looks AS looks USING (user_id)").fetchall()


def test_in_a_copy_that_goes_on_looks_at_skin_are_there_and_shared_by_nobody(path, tmp_path):
    executed(path, *ANN, *SKIN)
    copy_database(path, tmp_path / "copy.db")
    assert skin_in(tmp_path / "copy.db") == [(1, "{}")]
    take_up(tmp_path / "copy.db")
    assert skin_in(tmp_path / "copy.db") == [(0, "{}")]


def test_a_copy_without_accounts_takes_those_of_what_it_replaces(path, tmp_path):
    copy_database(path, tmp_path / "copy.db")
    take_up(tmp_path / "copy.db")
    executed(path, *ANN, *SIGNED_IN, *SKIN)
    keep_accounts(path, tmp_path / "copy.db")
    assert accounts_in(tmp_path / "copy.db") == accounts_in(path) == [1, 1, 1]
    assert skin_in(tmp_path / "copy.db") == skin_in(path) == [(1, "{}")]


def test_what_is_replaced_may_be_of_before_there_were_accounts_or_with_less_in_them(path, tmp_path):
    copy_database(path, tmp_path / "copy.db")
    take_up(tmp_path / "copy.db")
    executed(path, *ANN, "ALTER TABLE users DROP COLUMN skin_type", "DROP TABLE codes", "DROP TABLE skin_looks", "DROP TABLE skin_people")
    keep_accounts(path, tmp_path / "copy.db")
    assert accounts_in(tmp_path / "copy.db") == [1, 0, 0]


@pytest.mark.parametrize("of_the_copy", [False, True])
def test_what_is_damaged_is_neither_copied_nor_taken_up(path, tmp_path, event, of_the_copy):
    with Store(path) as store:
        store.record([event(text="x" * 5_000) for _ in range(50)])
    bad = path
    if of_the_copy:
        bad = tmp_path / "copy.db"
        copy_database(path, bad)
    content = bytearray(bad.read_bytes())
    content[4096 * 3 : 4096 * 9] = os.urandom(4096 * 6)
    bad.write_bytes(content)
    with pytest.raises(Damaged):
        take_up(bad) if of_the_copy else copy_database(bad, tmp_path / "other.db")
    assert bad.read_bytes() == content


def test_a_copy_of_a_newer_version_is_refused(path, tmp_path):
    copy_database(path, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer Moodify"):
        take_up(tmp_path / "copy.db")


def test_no_room_for_a_copy_is_said_of_the_copy(path, event, small_disk):
    with Store(path) as store:
        store.record([event(text="x" * 60_000) for _ in range(60)])
    with pytest.raises(StoreBusy, match=r"copy\.db"):
        copy_database(path, small_disk / "copy.db")


def test_what_was_set_aside_goes_when_history_of_its_day_does(path):
    folder = path.parent
    for name in ("moodify.db.corrupt.20260101T000000.000001Z", "moodify.db.corrupt.20260101T000000.000001Z-wal", "music.db.corrupt.20260401T120000.000000Z", "notes.corrupt.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "replaced.20260101T000000.000001Z").mkdir()
    (folder / "replaced.20260101T000000.000001Z" / "device.key").write_bytes(b"x")
    with Store(path) as store:
        store.retain(60, now=datetime(2026, 4, 2, tzinfo=UTC))
        assert sorted(each.name for each in folder.iterdir() if not each.name.startswith("moodify.db")) == ["music.db.corrupt.20260401T120000.000000Z", "notes.corrupt.txt"]
        assert not list(folder.glob("moodify.db.corrupt.*"))
        store.retain(60, now=datetime(2026, 4, 2, tzinfo=UTC) + timedelta(days=60))
    assert not list(folder.glob("*.corrupt.2*"))
