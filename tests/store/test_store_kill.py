from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from moodify.store.history import History
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare

ROUNDS = 8


def kill_often(path, outbox_bytes):
    """Let a process record, kill it, and so on; return the ids of which it said that they are committed."""
    rng = random.Random(2)
    committed: set[str] = set()
    for _ in range(ROUNDS):
        with subprocess.Popen([sys.executable, str(Path(__file__).with_name("record_for_ever.py")), str(path), str(outbox_bytes)], stdout=subprocess.PIPE, text=True) as child:
            for _ in range(rng.randrange(1, 60)):
                committed.update(child.stdout.readline().split())
            child.kill()
            rest = child.stdout.read()
            # The last line may be cut in the pipe; its transaction was committed before the first byte of it.
            committed.update(word for line in rest.splitlines() for word in line.split() if len(word) == 36)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    return committed


def test_after_kill_at_any_moment_everything_committed_is_there_and_outbox_and_events_agree(path):
    committed = kill_often(path, 16_000_000)
    assert prepare(path) is None
    with History(path) as history, Outbox(path) as outbox:
        kept = {event.id for event in history.recent(1_000_000)}
        messages = outbox.unsent(limit=1_000_000)
    sent = [item["id"] for message in messages for item in json.loads(message.payload)["items"]]
    assert len(committed) >= ROUNDS * 3
    assert committed <= kept
    assert len(kept - committed) <= ROUNDS * 3
    assert sorted(sent) == sorted(kept)
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))


def test_kills_while_it_merges_lose_no_count(path):
    committed = kill_often(path, 60_000)
    assert prepare(path) is None
    with History(path) as history, Outbox(path) as outbox, closing(sqlite3.connect(path)) as connection:
        status, messages = history.status(), outbox.unsent(limit=1_000_000)
        counted, size = connection.execute("SELECT bytes, (SELECT sum(length(CAST(items AS BLOB)) + 64) FROM outbox) FROM outbox_state").fetchone()
    items = [item for message in messages for item in json.loads(message.payload)["items"]]
    raw = [item["id"] for item in items if item["kind"] != "summary"]
    assert status.events >= len(committed)
    assert status.merged + status.lost > 0
    assert status.events == len(set(raw)) + status.merged + status.lost
    assert counted == size <= 60_000
