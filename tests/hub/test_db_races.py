"""Several hubs and threads on one database at once, and hubs that are killed. On SQLite and on PostgreSQL."""

import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from moodify.hub.database import open_database, retention
from summaries import DAY, NOW, enrolled, item, summary


@pytest.fixture
def hubs(database_target):
    """Two hubs on one database."""
    with ExitStack() as stack:
        yield [stack.enter_context(open_database(database_target)) for _ in range(2)]


def chunks(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]


def everything(database, devices):
    return [(event.device, event.seq, event.id) for device in devices for event in database.events.events(device, limit=100_000)]


def test_collectors_that_commit_the_same_messages_at_once_store_each_once(hubs):
    devices = [enrolled(hubs[0]) for _ in range(5)]
    messages = [summary(device, seq, item(f"{seq}-a"), item(f"{seq}-b")) for seq in range(1, 101) for device in devices]

    def collect(number):
        mine = random.Random(number).sample(messages, len(messages))
        return [hubs[number % 2].intake.commit(batch, NOW) for batch in chunks(mine, 50)]

    with ThreadPoolExecutor(6) as threads:
        done = [each for result in threads.map(collect, range(6)) for each in result]
    assert sum(each.events for each in done) == 2 * len(messages)
    assert sum(each.repeats for each in done) == 5 * len(messages)
    assert sorted(everything(hubs[0], devices)) == sorted((message.device, message.seq, event["id"]) for message in messages for event in message.items)


def test_streams_and_events_that_begin_in_two_collectors_at_once_are_one(hubs):
    for _ in range(10):
        device = enrolled(hubs[0])
        batches = [[summary(device, seq, item("same"), item(f"{seq}")) for seq in seqs] for seqs in ((1, 2), (3, 4), (2, 1), (4, 3))]
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda pair: hubs[pair[0] % 2].intake.commit(pair[1], NOW), enumerate(batches)))
        assert sum(each.events for each in done) == 5
        assert [stream.received for stream in hubs[1].events.streams(device)] == [4]


def test_who_follows_the_numbers_of_events_misses_none(hubs):
    devices = [enrolled(hubs[0]) for _ in range(4)]
    stop = threading.Event()
    seen = []

    def follow():
        last, ended = 0, False
        while not ended:
            ended = stop.is_set()
            while page := hubs[1].events.events(after=last, limit=7):
                last = page[-1].n
                seen.extend((event.device, event.seq) for event in page)

    def collect(device):
        for batch in chunks(range(1, 121), 3):
            hubs[0].intake.commit([summary(device, seq) for seq in batch], NOW)

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(collect, devices))
    stop.set()
    reader.join()
    assert len(seen) == len(set(seen)) == 4 * 120


def test_two_hubs_that_forget_at_once_while_events_come_in_forget_what_is_old_and_nothing_else(hubs, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 20)
    device = enrolled(hubs[0])
    hubs[0].intake.commit([summary(device, seq) for seq in range(1, 301)], NOW)
    later = NOW + 30 * DAY
    with ThreadPoolExecutor(3) as threads:
        forgetting = [threads.submit(hub.retain, 10, later) for hub in hubs]
        coming = threads.submit(lambda: [hubs[0].intake.commit([summary(device, seq)], later) for seq in range(301, 361)])
        gone = sum(each.result() for each in forgetting)
        coming.result()
    # What one of them had in hand while the other looked is for the next time.
    gone += hubs[0].retain(10, later)
    assert gone == 300
    assert sorted(event.seq for event in hubs[0].events.events(limit=1000)) == list(range(301, 361))
    (stream,) = hubs[0].events.streams(device)
    assert (stream.received, stream.gaps) == (360, ())


_COLLECTOR = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from moodify.hub.database import open_database
from moodify.hub.port import Summary

target, device, first = sys.argv[1:]
event = lambda seq, name: {"id": f"{seq}-{name}", "kind": "mood", "at": "2026-03-01T12:00:00Z", "data": {}}
seq = int(first)
with open_database(target if "://" in target else Path(target)) as database:
    while True:
        batch = [Summary(device, "epoch-1", number, (event(number, "a"), event(number, "b"))) for number in range(seq, seq + 7)]
        database.intake.commit(batch, datetime.now(UTC))
        print(seq + 6, flush=True)
        seq += 7
"""


def test_a_collector_that_is_killed_has_stored_what_it_acknowledged_and_no_half_of_anything(database_target):
    with open_database(database_target) as database:
        device = enrolled(database)
    acknowledged = 0
    for round_ in range(3):
        collector = subprocess.Popen([sys.executable, "-c", _COLLECTOR, str(database_target), device, str(acknowledged + 1)], stdout=subprocess.PIPE, text=True)
        for _ in range(20 + 7 * round_):
            acknowledged = int(collector.stdout.readline())
        collector.send_signal(signal.SIGKILL)
        acknowledged = int(([acknowledged, *collector.stdout.read().split()])[-1])
        collector.wait()
        collector.stdout.close()
    with open_database(database_target) as database:
        (stream,) = database.events.streams(device)
        assert stream.gaps == ()
        assert acknowledged <= stream.last <= acknowledged + 7
        assert stream.last % 7 == 0
        assert sorted(everything(database, [device])) == sorted((device, seq, f"{seq}-{end}") for seq in range(1, stream.last + 1) for end in "ab")
