"""The house as a whole, in this process: built in order, closed in reverse, whatever happens to a part."""

import gc
import io
import logging
import os
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from appliance import data_folder, hubs_of
from moodify.config.load import parse
from moodify.daemon import app
from moodify.daemon import running as of_a_run
from moodify.daemon.app import run
from moodify.daemon.courier import Courier
from moodify.daemon.dj import Dj
from moodify.daemon.kept import Kept, last_seen
from moodify.daemon.options import Options
from moodify.daemon.privacy import ByHand
from moodify.daemon.watcher import Watcher
from moodify.errors import StoreError
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.store.history import History
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from waiting import wait_until

SAMPLE = '[camera]\nsource = "sample"\n[music]\nspeaker = "simulated"\n[web]\nport = 0\n'


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    wait_until(lambda: set(threading.enumerate()) <= before, what=lambda: f"the end of {set(threading.enumerate()) - before}")


def die(_self):
    raise RuntimeError("bang")


@pytest.mark.parametrize(("kind", "name"), [(Watcher, "watcher"), (Dj, "dj"), (Courier, "courier")], ids=["watcher", "dj", "courier"])
def test_the_death_of_a_thread_ends_the_run_and_says_which(home, monkeypatch, caplog, kind, name):
    monkeypatch.setattr(kind, "run", die)
    assert run(parse(SAMPLE, source="test"), Options(seconds=30)) == 1
    assert f"The {name} ended by an error, and Moodify with it: bang" in caplog.text
    assert hubs_of(home) == []


def test_the_death_of_any_other_thread_ends_the_run_too(home, caplog):
    before = threading.excepthook

    def start_what_dies(_running):
        threading.Thread(target=die, args=(None,), name="light").start()

    assert run(parse(SAMPLE, source="test"), Options(seconds=30, attach=start_what_dies)) == 1
    assert "The light ended by an error, and Moodify with it: bang" in caplog.text
    assert threading.excepthook is before


def test_the_death_of_the_health_reader_ends_the_run(home, monkeypatch, caplog):
    monkeypatch.setattr(of_a_run, "read_health", lambda _folder: die(None))
    assert run(parse(SAMPLE, source="test"), Options(seconds=30)) == 1
    assert "The health ended by an error" in caplog.text


def test_health_that_cannot_be_read_is_a_warning(home, monkeypatch, caplog):
    def unreadable(_folder):
        raise OSError("no such thing")

    monkeypatch.setattr(of_a_run, "read_health", unreadable)
    assert run(parse(SAMPLE, source="test"), Options(seconds=3)) == 0
    assert "The machine's health can't be read: no such thing" in caplog.text


class UntilSomebodyIsThere(io.StringIO):
    """Where events are printed; asks for the end once somebody was seen."""

    def write(self, text):
        if '"presence"' in text:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


def test_what_is_built_is_not_looked_through_for_garbage_while_it_runs(home):
    frozen = []
    assert run(parse(SAMPLE + "[link]\nenabled = false\n", source="test"), Options(seconds=0, attach=lambda _running: frozen.append(gc.get_freeze_count()))) == 0
    assert frozen[0] > 10_000
    assert gc.get_freeze_count() == 0


def test_without_link_and_page_the_rest_works(home):
    told = []
    config = parse(SAMPLE.replace("port = 0", "enabled = false") + "[link]\nenabled = false\n", source="test")
    assert run(config, Options(seconds=60, attach=told.append, events=UntilSomebodyIsThere())) == 0
    assert (told[0].page(), told[0].keys, told[0].demo) == ((), False, True)
    with History(data_folder(home) / "moodify.db") as history:
        events = history.recent(100)
    assert "presence" in {event.kind.value for event in events}
    assert {event.data["state"] for event in events if event.kind.value == "link"} == {"off"}


def test_a_start_that_fails_half_way_gives_everything_back(home, monkeypatch):
    def unusable(*_arguments, **_options):
        raise StoreError("the disk is gone; put it back")

    monkeypatch.setattr(app, "Board", unusable)
    with pytest.raises(StoreError):
        run(parse(SAMPLE, source="test"), Options(seconds=5))
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    assert run(parse(SAMPLE, source="test"), Options(seconds=0)) == 0


def test_a_database_that_breaks_during_the_run_ends_it_with_its_error(home, monkeypatch):
    def breaks(_self, _events, **_options):
        raise StoreError("it is damaged; restart")

    monkeypatch.setattr(Store, "record", breaks)
    with pytest.raises(StoreError, match="damaged"):
        run(parse(SAMPLE, source="test"), Options(seconds=30))
    assert hubs_of(home) == []


def test_a_speaker_that_does_not_answer_does_not_hold_up_the_end(home, monkeypatch, caplog):
    made = []

    class Noted(SimulatedSpeaker):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr("moodify.music.spotify.factory.SimulatedSpeaker", Noted)
    assert run(parse(SAMPLE, source="test"), Options(seconds=1, attach=lambda _running: made[0].slow(3 * of_a_run.JOIN_S))) == 0
    assert "is left behind" not in caplog.text


@pytest.mark.parametrize(("source", "shortened"), [("sample", True), ("auto", False)])
def test_in_privacy_the_sample_is_known_by_its_name(home, source, shortened):
    database = data_folder(home) / "moodify.db"
    prepare(database)
    with Settings(database) as settings:
        settings.put("privacy", True)
    told = []
    assert run(parse(SAMPLE.replace('"sample"', f'"{source}"'), source="test"), Options(seconds=0, attach=told.append)) == 0
    assert told[0].demo is shortened


def test_housekeeping_on_a_locked_database_is_put_off(tmp_path, caplog):
    path = tmp_path / "moodify.db"
    prepare(path)
    with Store(path) as store, Settings(path) as settings, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store._db.execute("PRAGMA busy_timeout = 10")
        other.execute("BEGIN IMMEDIATE")
        kept = Kept(store, settings, retention_days=10)
        kept.housekeep()
        assert "Old events are deleted later" in caplog.text
        other.execute("ROLLBACK")
        kept.housekeep()
        assert last_seen(settings) is not None


@pytest.mark.parametrize(("away_days", "synchronised", "deletes"), [(1, False, True), (40, False, False), (40, True, True)])
def test_a_clock_that_may_have_jumped_ahead_deletes_nothing_until_the_network_has_set_it(tmp_path, caplog, away_days, synchronised, deletes):
    path, now = tmp_path / "moodify.db", datetime.now(UTC)
    prepare(path)
    with Store(path) as store, Settings(path) as settings, History(path) as history:
        store.record([Event("1", EventKind.MOOD, now - timedelta(days=30), {"mood": "calm"})])
        noted = (now - timedelta(days=away_days)).isoformat(timespec="seconds")
        settings.put("last_seen_utc", noted)
        kept = Kept(store, settings, retention_days=10, synchronised=lambda: synchronised)
        kept.housekeep()
        kept.housekeep()
        assert history.status().events == (0 if deletes else 1)
        assert (settings.get("last_seen_utc") == noted) != deletes
        assert caplog.text.count("connect the network") == (0 if deletes else 1)


def test_a_second_asking_to_end_is_heeded_at_once(home, caplog):
    caplog.set_level(logging.INFO)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    told = []

    def press_ctrl_c(running):
        told.append(running)
        signal.raise_signal(signal.SIGINT)
        told.append(signal.getsignal(signal.SIGINT))

    assert run(parse(SAMPLE, source="test"), Options(attach=press_ctrl_c)) == 0
    assert told[1] is signal.SIG_DFL
    assert "Ending: asked to by SIGINT" in caplog.text
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_damaged_database_is_said_in_the_fresh_ones_history(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "moodify.db").write_bytes(b"no database" * 1000)
    events = io.StringIO()
    toml = f'[store]\nfolder = "{folder}"\n[web]\nport = 0\n[link]\nenabled = false\n[camera]\nsource = "sample"\n[music]\nspeaker = "simulated"\n'
    assert run(parse(toml, source="test"), Options(seconds=0, events=events)) == 0
    assert "The database was damaged: it is kept as moodify.db.corrupt." in events.getvalue()


@pytest.mark.parametrize(("was", "kept", "stays"), [(True, "all", True), (False, "all", False), (False, "nothing", True)])
def test_after_a_damaged_database_privacy_is_as_it_was_and_on_where_nobody_knows(home, was, kept, stays):
    folder = data_folder(home)
    prepare(folder / "moodify.db")
    with Store(folder / "moodify.db") as store, Settings(folder / "moodify.db") as settings:
        store.record([Event(str(number), EventKind.MOOD, datetime.now(UTC), {"text": "x" * 3_000}) for number in range(20)])
        settings.put("privacy", {"closed": was, "opened_until": None, "origin": "page"})
    content = bytearray((folder / "moodify.db").read_bytes())
    # The end is the events'; the settings lie before them.
    begins = len(content) - 8_192 if kept == "all" else 4_096
    content[begins:] = b"\xa5" * (len(content) - begins)
    (folder / "moodify.db").write_bytes(content)
    told = []
    assert run(parse(SAMPLE + "[link]\nenabled = false\n", source="test"), Options(seconds=0, attach=told.append)) == 0
    assert list(folder.glob("moodify.db.corrupt.*"))
    now = told[0].house.now()
    assert now["privacy"] is stays
    with Settings(folder / "moodify.db") as settings:
        assert ByHand.from_json(settings.get("privacy")).origin == {"all": "page", "nothing": "damage"}[kept]
