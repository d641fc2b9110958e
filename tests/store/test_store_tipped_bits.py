"""A card tips a bit where the database's own check sees nothing: within a value. What can't be read is passed over, and the rest goes on."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from moodify.cloud.executed import Executed
from moodify.daemon.kept import Kept, last_seen, privacy_kept
from moodify.errors import StoreBusy
from moodify.sqlite import Damaged
from moodify.store import database
from moodify.store.database import noted_damage
from moodify.store.history import History
from moodify.store.looking_back import LookingBack
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import DAMAGED, Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FELT = {"mood": "happy", "confidence": 0.9, "valence": 0.1, "arousal": 0.2, "people": 1}
DAMAGES = {
    "data": [b"{", b"{}", b"[]", b"\xff", b'{"mood":"hapqy"}', b"[" * 3000],
    "at": [b"2026-11-2", b"", b"\xff\xfe", b"0001-01-01T00:00:00+14:00"],
    "kind": [b"moot", b"\xff"],
}


@pytest.fixture
def path(tmp_path):
    prepare(tmp_path / "moodify.db")
    return tmp_path / "moodify.db"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A database with messages of which the oldest may be merged."""
    path = tmp_path_factory.mktemp("full") / "moodify.db"
    prepare(path)
    with Store(path) as store:
        for n in range(150):
            store.record([Event(f"id{n}", EventKind.MOOD, NOW - timedelta(days=50) + timedelta(minutes=n), FELT)])
    return path


def tip(path, sql, *values):
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(sql, values).rowcount
        db.commit()
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in DAMAGES.items() for value in values])
def test_a_damaged_event_hides_no_other(path, column, value):
    events = [Event(f"id{n}", kind, NOW + timedelta(minutes=n), FELT) for n, kind in enumerate([EventKind.MOOD, EventKind.MOOD, EventKind.LINK, EventKind.HEALTH])]
    with Store(path) as store:
        store.record(events)
    for damaged in ("id1", "id3"):
        tip(path, f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE id = ?", value, damaged)
    with History(path) as history:
        assert {"id0", "id2"} <= {event.id for event in history.each()} == {event.id for event in history.recent(10)}
        assert history.newest(EventKind.LINK).id == "id2"
        assert history.newest(EventKind.MOOD).id in {"id0", "id1", "id3"}
    with LookingBack(path) as looking:
        looked = looking.between(NOW, NOW + timedelta(hours=1), now=NOW + timedelta(hours=1), silence_s=600)
        assert looked.felt[0].begins == NOW
        assert "id2" in [event.id for event in looking.troubles(NOW, 10)]


@pytest.mark.parametrize("value", [b"{", b"", b"\xff", b"[" * 3000])
def test_a_damaged_setting_is_not_taken_for_one_that_was_never_set(path, value):
    with Settings(path) as settings:
        settings.put("privacy", {"closed": False, "opened_until": None, "origin": "page"})
        tip(path, "UPDATE settings SET value = CAST(? AS TEXT)", value)
        assert settings.get("privacy") == settings.all()["privacy"] == DAMAGED
        assert privacy_kept(settings)
        settings.put("privacy", None)
        assert not privacy_kept(settings)


@pytest.mark.parametrize("value", [DAMAGED, 5, "2026-11-21", "2026-11-21T10:00:00", ["2026"]])
def test_a_date_that_was_noted_and_is_damaged_is_not_known(path, value):
    with Settings(path) as settings:
        settings.put("last_seen_utc", value)
        assert last_seen(settings) is None


@pytest.mark.parametrize("asked", [b"{", b'{"on": "no"}', b"[]"])
def test_what_was_asked_of_privacy_and_is_damaged_closes_the_camera_once(path, asked):
    with Store(path) as store, Settings(path) as settings:
        settings.put("privacy_asked", {"on": False, "id": "a"})
        tip(path, "UPDATE settings SET value = CAST(? AS TEXT)", asked)
        kept = Kept(store, settings, retention_days=365)
        kept.tick()
        assert kept.privacy
        assert settings.get("privacy_asked") is None
        kept.set_privacy(on=False, origin="page")
        kept.tick()
        assert not kept.privacy


@pytest.mark.parametrize("value", ["damaged", [], {"n": "1", "id": "a", "answer": None}, {"n": 1, "id": 5, "answer": None}, {"n": 2**80, "id": "a", "answer": None}])
def test_a_damaged_note_of_a_command_does_not_hide_the_others(path, value):
    with Settings(path) as settings:
        executed = Executed(settings)
        for command in ("one", "two"):
            executed.begin(command)
        settings.put("link.command.0", value)
        executed = Executed(settings)
        assert executed.find("one") is None
        assert executed.find("two") is not None
        executed.begin("three")
        assert Executed(settings).find("three") is not None


ITEM = {"id": "a", "kind": "mood", "at": "2026-09-01T10:00:00.000+00:00", "data": FELT}
SUMMARY = {"kind": "summary", "data": {"from": ITEM["at"], "to": ITEM["at"], "events": {"mood": 1}, "moods": {"happy": 1.5}}}


@pytest.mark.parametrize(
    "items",
    ["[", "[]", "{}", "5", "[5]", '[{"kine":"mood"}]', json.dumps([ITEM | {"at": "2026-0"}]), json.dumps([ITEM | SUMMARY | {"data": {"events": 5}}]), "[" * 3000],
)
def test_a_damaged_message_does_not_stand_in_the_way_of_merging(path, full, items):
    shutil.copy(full, path)
    with Store(path) as store:
        tip(path, "UPDATE outbox SET items = ? WHERE seq IN (1, 30, 120)", items)
        store.merge_old(now=NOW)
        assert store.outbox().merged > 40
    with Store(path, outbox_bytes=5000) as store:
        store.record([Event("last", EventKind.MOOD, NOW, FELT)])
        assert store.outbox().lost > 0
    with Outbox(path) as outbox:
        assert outbox.unsent(limit=1000)[-1].payload.endswith(b"]}")


@pytest.mark.parametrize(("items", "lost"), [("[", 1), (json.dumps([ITEM, ITEM | {"at": "2026-0"}, 5]), 2)])
def test_damaged_events_that_waited_to_be_sent_count_as_lost_and_the_log_says_so(path, full, caplog, items, lost):
    shutil.copy(full, path)
    with Store(path) as store:
        tip(path, "UPDATE outbox SET items = ? WHERE seq = 120", items)
        store.merge_old(now=NOW)
        assert store.outbox().lost == lost
    assert f"{lost} events that waited to be sent are damaged" in caplog.text


def test_what_cannot_even_be_told_of_is_damage(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CREATE TABLE events", b"CREATE TABLE e\xcfents"))
    assert prepare(path) is not None


#: First byte of a leaf page (https://sqlite.org/fileformat.html, 1.6).
OF_INDEX, OF_TABLE = 0x0A, 0x0D


def tipped_on_a_page(path, leaf, before, after):
    """Change bytes within the pages of one kind, as a card does; the database is closed."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = path.read_bytes()
    pages = [content[at : at + size] for at in range(0, len(content), size)]
    assert any(page[0] == leaf and before in page for page in pages)
    path.write_bytes(b"".join(page.replace(before, after) if page[0] == leaf else page for page in pages))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


def damaged_for_who_writes(path):
    prepare(path)
    with Store(path) as store, pytest.raises(Damaged, match="restart Moodify"):
        store.retain(1, now=NOW + timedelta(days=30))


def test_an_index_that_is_not_its_tables_any_more_is_made_anew_by_a_restart(path, caplog):
    events = [Event(f"id{n}", EventKind.LINK, NOW + timedelta(minutes=n), {}) for n in range(3)]
    with Store(path) as store:
        store.record(events)
    tipped_on_a_page(path, OF_INDEX, b"2026-11-21T12:01:00", b"2026-11-21T12:01:10")
    damaged_for_who_writes(path)
    assert prepare(path) is None
    assert "nothing is lost" in caplog.text
    with History(path) as history:
        assert {event.id for event in history.each()} == {"id0", "id1", "id2"}
    with Store(path) as store:
        assert store.retain(1, now=NOW + timedelta(days=30)) == 3
    assert not noted_damage(path).exists()


def test_a_database_whose_indexes_cannot_be_made_anew_now_is_not_set_aside_for_that(path, monkeypatch):
    with Store(path) as store:
        store.record([Event("one", EventKind.LINK, NOW + timedelta(minutes=1), {})])
    tipped_on_a_page(path, OF_INDEX, b"2026-11-21T12:01:00", b"2026-11-21T12:01:10")
    damaged_for_who_writes(path)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            prepare(path)
    assert list(path.parent.glob("*.corrupt.*")) == []
    assert prepare(path) is None
    with History(path) as history:
        assert [event.id for event in history.each()] == ["one"]


def test_one_whose_table_holds_what_it_may_not_is_set_aside_by_a_restart(path):
    with Store(path) as store:
        store.record([Event(f"an-id-{n}", EventKind.LINK, NOW + timedelta(minutes=n), {}) for n in range(3)])
    tipped_on_a_page(path, OF_TABLE, b"an-id-1", b"an-id-2")
    damaged_for_who_writes(path)
    assert prepare(path) is not None
    assert not noted_damage(path).exists()
    with History(path) as history:
        assert history.recent(5) == []
