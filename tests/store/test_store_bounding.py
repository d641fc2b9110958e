"""The outbox within its bounds: nothing uncounted, nothing that was offered changed, no number given twice."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from moodify import sqlite
from moodify.cloud import port
from moodify.store import database
from moodify.store.bounding import OFFERED_AT_MOST
from moodify.store.history import History
from moodify.store.merging import events_in
from moodify.store.migrations import MIGRATIONS
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.store import OutboxCounts, Store
from moodify.types import Event, EventKind

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
ALL = 1_000_000


def items_of(messages):
    return [item for message in messages for item in json.loads(message.payload)["items"]]


def size(path):
    """What the messages take, counted from the table itself."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT coalesce(sum(length(CAST(items AS BLOB)) + 64), 0) FROM outbox").fetchone()[0]


def counted(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT bytes FROM outbox_state").fetchone()[0]


def fill(store, messages, *, each_s=60.0, begin=BEGIN, pad=0):
    """Record so many messages of one event each, a mood every tenth."""
    for n in range(messages):
        kind, data = (EventKind.MOOD, {"mood": "happy" if n % 20 else "calm"}) if n % 10 == 0 else (EventKind.HEALTH, {"reasons": []})
        store.record([Event(str(uuid.uuid4()), kind, begin + timedelta(seconds=n * each_s), {**data, "pad": "x" * pad})])


def test_what_is_merged_is_the_oldest_behind_those_that_may_have_been_offered(path):
    with Store(path, outbox_bytes=42_000) as store, Outbox(path) as outbox, Store(path) as roomy:
        fill(roomy, 300)
        before = outbox.unsent(limit=ALL)
        store.record([Event(str(uuid.uuid4()), EventKind.HEALTH, BEGIN + timedelta(hours=5), {})])
        after = outbox.unsent(limit=ALL)
    assert after[:OFFERED_AT_MOST] == before[:OFFERED_AT_MOST]
    assert [message for message in after if message in before] == before[:OFFERED_AT_MOST] + before[-(len(after) - OFFERED_AT_MOST - 2) :]
    summaries = [item["data"] for item in items_of(after) if item["kind"] == "summary"]
    assert summaries[0]["from"] == "2026-03-01T01:40:00.000+00:00"
    assert [summary["from"][11:13] for summary in summaries] == ["01", "02", "03"]
    assert summaries[1]["events"] == {"health": 54, "mood": 6}
    assert summaries[1]["moods"] == {"happy": 1800, "calm": 1800}


def test_the_store_and_the_link_mean_the_same_messages():
    assert OFFERED_AT_MOST == port.OFFERED_AT_MOST


def test_an_hour_that_is_merged_in_two_steps_is_one_summary(path):
    with Store(path, outbox_bytes=40_000) as store, Outbox(path) as outbox:
        fill(store, 600)
        summaries = [item["data"]["from"][:13] for item in items_of(outbox.unsent(limit=ALL)) if item["kind"] == "summary"]
    assert len(summaries) > 5
    assert len(set(summaries)) == len(summaries)


def test_hours_are_merged_into_days_before_anything_is_lost(path):
    # The messages that may have been offered fill the room but for a few kB: that is not enough for the hours of three weeks.
    with Store(path, outbox_bytes=OFFERED_AT_MOST * 270 + 12_000) as store, Outbox(path) as outbox:
        fill(store, 1_000, each_s=1_800)
        counts, items = store.outbox(), items_of(outbox.unsent(limit=ALL))
    assert counts.lost == 0
    assert any(events_in([item]) == 48 for item in items)
    assert events_in(items) == 1_000


def test_where_merging_is_not_enough_the_oldest_are_dropped_and_counted(path):
    with Store(path, outbox_bytes=50_000) as store, Outbox(path) as outbox, History(path) as history:
        fill(store, 30, pad=5_000)
        kept = outbox.unsent(limit=ALL)
        counts = store.outbox()
        assert [message.seq for message in kept] == list(range(kept[0].seq, 31))
        assert counts == OutboxCounts(waiting=len(kept), merged=0, lost=30 - len(kept), refused=0)
        assert counts.lost > 0
        status = history.status()
        assert (status.lost, status.merged, status.unsent, status.events) == (counts.lost, 0, len(kept), 30)
    assert size(path) <= 50_000


def test_what_a_broker_refused_makes_room_first(path):
    with Store(path, outbox_bytes=20_000) as store, Outbox(path) as outbox:
        fill(store, 3, pad=5_000)
        first, second, third = outbox.unsent()
        outbox.refused(second.epoch, second.seq, "not authorized")
        fill(store, 1, pad=9_000)
        assert [message.seq for message in outbox.unsent()] == [first.seq, third.seq, 4]
        assert store.outbox().lost == 1


def test_a_bound_that_was_lowered_is_reached_little_by_little(path):
    with Store(path) as store:
        store.record([Event(str(uuid.uuid4()), EventKind.HEALTH, BEGIN + timedelta(seconds=n), {"pad": "x" * 60_000}) for n in range(150)])
    with Store(path, outbox_bytes=1_000_000) as store:
        sizes = [size(path)]
        while sizes[-1] > 1_000_000:
            fill(store, 1)
            sizes.append(size(path))
            assert len(sizes) < 100
        assert len(sizes) > 3
        assert sizes == sorted(sizes, reverse=True)
        assert store.outbox().lost > 0


def test_what_waits_too_long_is_merged_even_where_there_is_room(path):
    with Store(path, outbox_days=7) as store, Outbox(path) as outbox:
        fill(store, 400, each_s=3_600)
        store.merge_old(now=BEGIN + timedelta(hours=400))
        items = items_of(outbox.unsent(limit=ALL))
        raw = [item for item in items if item["kind"] != "summary"]
        assert all(item["at"] >= "2026-03-10T16" for item in raw[OFFERED_AT_MOST:])
        assert store.outbox().merged == 400 - len(raw)
        assert (store.outbox().merged, store.outbox().lost) == (400 - 7 * 24 - OFFERED_AT_MOST, 0)
        newest = outbox.unsent(limit=ALL)[-1]
        # Not again with each look: what an hour more makes old waits until there is a day of it.
        store.merge_old(now=BEGIN + timedelta(hours=401))
        assert outbox.unsent(limit=ALL)[-1] == newest
        store.merge_old(now=BEGIN + timedelta(hours=430))
        assert outbox.unsent(limit=ALL)[-1].seq > newest.seq


def test_a_week_without_a_network_arrives_whole_once_it_is_back(path):
    """A health event every five minutes, a mood every 20 to 100, into an outbox with room for a day of it."""
    recorded, at, minute = 0, BEGIN, 0
    moods = ["happy", "calm", "absent", "sad"]
    with Store(path, outbox_bytes=100_000) as store, Outbox(path) as outbox:
        next_mood = 0
        while minute < 7 * 24 * 60:
            at = BEGIN + timedelta(minutes=minute)
            events = [Event(str(uuid.uuid4()), EventKind.HEALTH, at, {"disk_free_mb": 9_000, "load_1min": 0.2, "rss_mb": 120.0, "reasons": []})]
            if minute >= next_mood:
                events.append(Event(str(uuid.uuid4()), EventKind.MOOD, at, {"mood": moods[recorded % 4], "confidence": 0.8}))
                next_mood = minute + 20 + (minute * 7) % 80 // 5 * 5
            store.record(events)
            recorded += len(events)
            minute += 5
            assert counted(path) <= 100_000
        lost_before = store.outbox().lost
        arrived = []
        while messages := outbox.unsent(limit=OFFERED_AT_MOST):
            arrived += items_of(messages)
            outbox.delivered(messages[0].epoch, [(messages[0].seq, messages[-1].seq)])
    assert lost_before == 0
    assert events_in(arrived) == recorded
    spent_s = sum(sum(item["data"]["moods"].values()) for item in arrived if item["kind"] == "summary")
    raw = [datetime.fromisoformat(item["at"]) for item in arrived if item["kind"] != "summary"]
    # The first messages and the last came as they were; between them each second belongs to one mood.
    gaps_s = max((later - earlier).total_seconds() for earlier, later in pairwise(raw))
    assert gaps_s > 4 * 86_400
    assert spent_s == pytest.approx(gaps_s, abs=2 * 100 * 60)


def test_a_database_of_the_version_before_is_brought_up_to_date_with_all_that_waits(tmp_path, event):
    path = tmp_path / "moodify.db"
    database.make_private(path)
    with closing(database.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        sqlite.migrate(db, MIGRATIONS[:1])
        for n in range(150):
            one = event(text="ü" * n)
            db.execute("INSERT INTO events (id, kind, at, data) VALUES (?, 'mood', ?, '{}')", [one.id, one.at.isoformat()])
            db.execute("INSERT INTO outbox (items, refused) VALUES (?, ?)", [json.dumps([one.as_json()], ensure_ascii=False), "too large" if n == 7 else None])
        db.execute("UPDATE outbox_state SET lost = 3")
        epoch = db.execute("SELECT epoch FROM outbox_state").fetchone()[0]
    with History(path) as history:
        # ``moodify check`` looks before the first start.
        assert (history.status().lost, history.status().merged) == (3, 0)
    assert prepare(path) is None
    assert counted(path) == size(path) > 0
    with Store(path, outbox_bytes=30_000) as store, Outbox(path) as outbox, History(path) as history:
        waiting = outbox.unsent(limit=ALL)
        assert ([message.seq for message in waiting], waiting[0].epoch) == ([n for n in range(1, 151) if n != 8], epoch)
        assert history.status().lost == 3
        store.record([event()])
        assert outbox.unsent(limit=ALL)[-1].seq > 150
        assert counted(path) == size(path) <= 30_000


class Waits(RuleBasedStateMachine):
    """An outbox with little room, a device that says much, and a hub that acknowledges some of it, in whatever order."""

    BOUND = 60_000

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / "moodify.db"
        prepare(self.path)
        self.store = Store(self.path, outbox_bytes=self.BOUND, outbox_days=2)
        self.outbox = Outbox(self.path)
        self.at = BEGIN
        self.recorded = []
        self.arrived = []
        self.offered = {}
        self.bytes_of = {}
        self.epoch = ""

    def teardown(self):
        self.store.close()
        self.outbox.close()
        self._folder.cleanup()

    @rule(messages=st.integers(1, 60), each=st.integers(1, 3), gap_s=st.sampled_from([1, 60, 600, 7_200]), pad=st.sampled_from([0, 0, 0, 100, 2_000]))
    def happen(self, messages, each, gap_s, pad):
        for _ in range(messages):
            self.at += timedelta(seconds=gap_s)
            events = [Event(str(uuid.uuid4()), EventKind.MOOD, self.at, {"mood": "happy", "pad": "x" * pad}) for _ in range(each)]
            self.store.record(events)
            self.recorded += [event.id for event in events]

    @rule(pad=st.integers(1_000, 80_000))
    def tell_a_long_story(self, pad):
        event = Event(str(uuid.uuid4()), EventKind.ORDER, self.at, {"message": "x" * pad})
        self.store.record([event])
        self.recorded.append(event.id)

    @rule()
    def offer(self):
        for message in self.outbox.unsent(limit=OFFERED_AT_MOST):
            self.offered[message.seq] = message

    @precondition(lambda self: self.offered)
    @rule(data=st.data())
    def acknowledge(self, data):
        here = {message.seq for message in self.outbox.unsent(limit=ALL)}
        seqs = sorted(here & self.offered.keys())
        if not seqs:
            return
        first = data.draw(st.sampled_from(seqs))
        last = data.draw(st.sampled_from([seq for seq in seqs if seq >= first]))
        acked = [seq for seq in seqs if first <= seq <= last]
        self.arrived += items_of([self.offered[seq] for seq in acked])
        self.outbox.delivered(self.epoch, [(seq, seq) for seq in acked])

    @precondition(lambda self: self.offered)
    @rule(data=st.data())
    def refuse(self, data):
        seqs = sorted({message.seq for message in self.outbox.unsent(limit=OFFERED_AT_MOST)} & self.offered.keys())
        if seqs:
            self.outbox.refused(self.epoch, data.draw(st.sampled_from(seqs)), "too large")

    @rule()
    def age(self):
        self.store.merge_old(now=self.at)

    @invariant()
    def never_more_than_the_bound(self):
        assert counted(self.path) == size(self.path) <= self.BOUND

    @invariant()
    def all_adds_up(self):
        with closing(sqlite3.connect(self.path)) as connection:
            rows = connection.execute("SELECT seq, items, refused, level FROM outbox ORDER BY seq").fetchall()
        here = [item for row in rows for item in json.loads(row[1])]
        counts = self.store.outbox()
        raw, arrived = ([item["id"] for item in items if item["kind"] != "summary"] for items in (here, self.arrived))
        assert len(self.recorded) == len(raw) + len(arrived) + counts.merged + counts.lost
        assert counts.merged == sum(events_in(item for item in items if item["kind"] == "summary") for items in (here, self.arrived))
        assert counts.waiting == sum(row[2] is None for row in rows)
        assert set(raw).isdisjoint(arrived)
        order = {event: n for n, event in enumerate(self.recorded)}
        assert [order[event] for event in raw] == sorted(order[event] for event in raw)
        assert all((row[3] > 0) == (item["kind"] == "summary") for row in rows for item in json.loads(row[1]))

    @invariant()
    def a_number_means_the_same_bytes_for_ever(self):
        newest = max(self.bytes_of, default=0)
        here = {message.seq: message for message in self.outbox.unsent(limit=ALL)}
        for seq, message in here.items():
            self.epoch = message.epoch
            assert seq in self.bytes_of or seq > newest
            assert self.bytes_of.setdefault(seq, message.payload) == message.payload


Waits.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
test_any_story_of_an_outbox = Waits.TestCase
