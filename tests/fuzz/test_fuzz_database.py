"""Databases of each version that a card has damaged: a start mends them, sets them aside or says what to do, and then everything that reads them goes on."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from random import Random

import pytest
from fuzzing import NOW, fuzzed, ours
from hypothesis import given
from hypothesis import strategies as st

from moodify.cloud.executed import Executed
from moodify.daemon.household import settings_kept
from moodify.daemon.kept import Kept
from moodify.errors import MoodifyError
from moodify.sqlite import Damaged
from moodify.store.accounts import AccountTransactions
from moodify.store.history import History
from moodify.store.looking_back import LookingBack
from moodify.store.migrations import MIGRATIONS
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind

FELT = {"mood": "happy", "confidence": 0.9, "valence": 0.1, "arousal": 0.2, "people": 1}
PLAYED = {"status": "done", "act": "play", "order": "o", "track": {"title": "t", "artist": "a", "duration_ms": 1000}}


def lived_in(path, version):
    """Make a database of a version in which things have happened."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for number, step in enumerate(MIGRATIONS[:version], start=1):
            step(db)
            db.execute(f"PRAGMA user_version = {number}")
        db.execute("BEGIN")
        # The same bytes in every run.
        db.execute("UPDATE outbox_state SET epoch = 'b4a0c8c2-35a0-4b6c-8f8e-0e6c7a0c1d55'")
        for n in range(130):
            at = (NOW - timedelta(days=60) + timedelta(minutes=10 * n)).isoformat(timespec="milliseconds")
            for kind, data in (("mood", FELT), ("order", PLAYED), ("health", {"reasons": ["x"]})):
                event = Event(f"{kind}-{n}", EventKind(kind), NOW, data)
                db.execute("INSERT INTO events (id, kind, at, data) VALUES (?, ?, ?, ?)", (event.id, kind, at, json.dumps(data)))
            db.execute("INSERT INTO outbox (items) VALUES (?)", (json.dumps([event.as_json() | {"at": at}]),))
        for key, value in {"privacy": {"closed": True, "opened_until": None, "origin": "page"}, "last_seen_utc": NOW.isoformat(), "privacy_asked": {"on": True, "id": "x"}}.items():
            db.execute("INSERT INTO settings VALUES (?, ?)", (key, json.dumps(value)))
        for n in range(20):
            db.execute("INSERT INTO settings VALUES (?, ?)", (f"link.command.{n}", json.dumps({"n": n, "id": f"c{n}", "answer": {"status": "ok"}})))
        db.execute("COMMIT")
    return path.read_bytes()


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("databases")
    return [lived_in(folder / f"version-{version}.db", version) for version in range(1, len(MIGRATIONS) + 1)]


def tipped(content, seed):
    """A few bits, anywhere or in the descriptions at the beginning, or a part of the file cut off or overwritten."""
    random = Random(seed)
    data = bytearray(content)
    match random.randrange(12):
        case 0:
            del data[random.randrange(len(data)) :]
        case 1:
            at = random.randrange(0, len(data), 512)
            data[at : at + 512] = random.choice([b"\0", b"\xff"]) * 512
        case _:
            most = random.choice([100, 4096, len(data), len(data), len(data)])
            for _ in range(random.choice([1, 1, 1, 3, 20])):
                data[random.randrange(most)] ^= 1 << random.randrange(8)
    return bytes(data)


def use(path):
    """Start on a database as the daemon does, and let everybody read and write."""
    prepare(path)
    with Settings(path) as settings:
        settings.all()
        settings_kept(settings)
        Executed(settings).begin("new")
        with Store(path, outbox_bytes=20_000) as store:
            kept = Kept(store, settings, retention_days=365, synchronised=lambda: True)
            kept.tick()
            kept.housekeep()
            assert store.outbox()
            store.record([Event("new", EventKind.LINK, NOW, {})])
            store.merge_old(now=NOW)
    with Outbox(path) as outbox:
        outbox.unsent()
    with History(path) as history:
        assert "new" in {event.id for event in history.each()}
        history.newest(EventKind.MOOD)
        history.status()
    with LookingBack(path) as looking:
        looking.between(NOW - timedelta(days=61), NOW - timedelta(days=58), now=NOW, silence_s=300)
        looking.troubles(NOW - timedelta(days=90), 50)
    with closing(AccountTransactions(path)) as accounts, accounts.reading() as statements:
        assert statements.rows("SELECT * FROM users", {}) == []


@given(version=st.integers(0, len(MIGRATIONS) - 1), seed=st.integers(0, 2**32))
@fuzzed(30)
def test_a_damaged_database_of_any_version_ends_in_no_traceback_and_a_restart_helps(tmp_path_factory, databases, version, seed):
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "moodify.db"
    path.write_bytes(tipped(databases[version], seed))
    if isinstance(ours(use, path), Damaged):
        again = ours(use, path)
        assert not isinstance(again, MoodifyError), again
    shutil.rmtree(folder)
