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


def test_after_kill_at_any_moment_everything_committed_is_there_and_outbox_and_events_agree(path):
    rng = random.Random(2)
    committed: set[str] = set()
    for _ in range(ROUNDS):
        with subprocess.Popen([sys.executable, str(Path(__file__).with_name("record_for_ever.py")), str(path)], stdout=subprocess.PIPE, text=True) as child:
            for _ in range(rng.randrange(1, 60)):
                committed.update(child.stdout.readline().split())
            child.kill()
            rest = child.stdout.read()
            # The last line may be cut in the pipe; its transaction was committed before the first byte of it.
            committed.update(word for line in rest.splitlines() for word in line.split() if len(word) == 36)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
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
