"""Events: kept first, printed after, and held while the database can't be written."""

import io
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from moodify.daemon import recorder as room
from moodify.daemon.recorder import Recorder
from moodify.store.history import History
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.store import Store
from moodify.system.clock import RecordingClock
from moodify.types import EventKind


class Desk:
    """A recorder over a real database, and somebody else who can lock it."""

    def __init__(self, path, sink=None):
        self.path = path
        prepare(path)
        self.clock = RecordingClock(datetime(2026, 1, 5, tzinfo=UTC))
        self.store = Store(path)
        self.store._db.execute("PRAGMA busy_timeout = 10")
        self.sink = sink if sink is not None else io.StringIO()
        self.commits = 0
        self.recorder = Recorder(self.store, self.clock, flush_s=60, sink=self.sink, committed=self._committed)
        self.other = sqlite3.connect(path, isolation_level=None)

    def _committed(self):
        self.commits += 1

    def note(self, kind=EventKind.MOOD, *, urgent=True, **data):
        self.recorder.note(kind, data, urgent=urgent)
        return self

    def flush_at(self, t_s, **options):
        self.clock.advance_to(t_s)
        self.recorder.flush(**options)
        return self

    def kept(self):
        with History(self.path) as history:
            return [event.data for event in reversed(history.recent(1000))]

    def printed(self):
        return [json.loads(line)["data"] for line in self.sink.getvalue().splitlines()]

    def close(self):
        self.store.close()
        self.other.close()


@pytest.fixture
def desk(tmp_path):
    with closing(Desk(tmp_path / "moodify.db")) as desk:
        yield desk


def test_what_can_wait_waits_and_is_written_with_the_next_that_cannot(desk):
    desk.note(urgent=False, n=1).flush_at(1)
    assert (desk.kept(), desk.printed(), desk.commits) == ([], [], 0)
    desk.note(n=2).flush_at(2)
    assert desk.kept() == desk.printed() == [{"n": 1}, {"n": 2}]
    assert desk.commits == 1
    with Outbox(desk.path) as outbox:
        assert outbox.backlog() == 1


def test_what_can_wait_is_written_after_its_time(desk):
    desk.note(urgent=False, n=1).flush_at(59)
    assert desk.kept() == []
    desk.flush_at(60)
    assert desk.kept() == [{"n": 1}]


def test_nothing_waits_beyond_the_end(desk):
    desk.note(urgent=False, n=1)
    desk.recorder.finish()
    assert desk.kept() == [{"n": 1}]


def test_it_is_committed_before_it_is_printed(desk):
    class Witness(io.StringIO):
        seen: list

        def write(self, text):
            self.seen = desk.kept()
            return super().write(text)

    desk.recorder._sink = desk.sink = Witness()
    desk.note(n=1).flush_at(1)
    assert desk.sink.seen == desk.printed() == [{"n": 1}]


def test_a_locked_database_keeps_events_waiting_in_order_and_says_so_once(desk, caplog):
    desk.other.execute("BEGIN IMMEDIATE")
    desk.note(n=1).flush_at(1).note(n=2).flush_at(1 + room.RETRY_S).flush_at(1 + 2 * room.RETRY_S)
    assert (desk.kept(), desk.printed()) == ([], [])
    assert "locked" in desk.recorder.problem
    assert caplog.text.count("Events wait in memory") == 1
    desk.other.execute("ROLLBACK")
    desk.flush_at(1 + 3 * room.RETRY_S)
    assert desk.kept() == desk.printed() == [{"n": 1}, {"n": 2}]
    assert desk.recorder.problem is None


def test_while_it_is_locked_it_is_not_tried_at_each_turn(desk):
    desk.other.execute("BEGIN IMMEDIATE")
    desk.note(n=1).flush_at(1)
    desk.other.execute("ROLLBACK")
    desk.note(n=2).flush_at(1.5)
    assert desk.kept() == []
    desk.flush_at(1 + room.RETRY_S)
    assert desk.kept() == [{"n": 1}, {"n": 2}]


def test_the_end_of_a_run_says_what_is_lost(desk, caplog):
    desk.other.execute("BEGIN IMMEDIATE")
    desk.note(n=1).note(n=2).recorder.finish()
    assert "2 events could not be written and are lost" in caplog.text


def test_the_oldest_are_given_up_where_too_many_wait(desk, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(room, "MAX_WAITING", 2)
    desk.other.execute("BEGIN IMMEDIATE")
    desk.note(n=1).flush_at(1).note(n=2).note(n=3)
    desk.other.execute("ROLLBACK")
    desk.flush_at(1 + room.RETRY_S)
    assert desk.kept() == [{"n": 2}, {"n": 3}]
    assert "1 were given up meanwhile" in caplog.text
    desk.note(n=4).flush_at(2 + room.RETRY_S)
    assert desk.store.outbox().lost == 1


def test_a_reader_that_goes_away_costs_no_event(tmp_path, caplog):
    ours, theirs = os.pipe()
    os.close(ours)
    pipe = os.fdopen(theirs, "w")
    with closing(Desk(tmp_path / "moodify.db", sink=pipe)) as desk:
        desk.note(n=1).flush_at(1).note(n=2).flush_at(2)
        assert desk.kept() == [{"n": 1}, {"n": 2}]
    assert caplog.text.count("Events are not printed any more: Broken pipe") == 1
    with pytest.raises(BrokenPipeError):
        pipe.close()


def test_events_carry_the_date_of_the_clock(desk):
    desk.clock.advance_to(90)
    desk.note(n=1).flush_at(90)
    assert json.loads(desk.sink.getvalue())["at"] == "2026-01-05T00:01:30.000+00:00"
