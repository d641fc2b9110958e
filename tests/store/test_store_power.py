"""A power cut: what the card has of the log may end anywhere, in the middle of a page."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from contextlib import closing

from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.store import Store

CUTS = 40


def test_a_log_that_ends_anywhere_gives_the_commits_before_it_and_all_goes_on(path, tmp_path, event):
    chance = random.Random(5)
    recorded = []
    with Store(path) as store, Outbox(path) as outbox:
        for n in range(60):
            events = [event(text="x" * chance.randrange(2_000)) for _ in range(3)]
            store.record(events)
            recorded.append({each.id for each in events})
            if n % 20 == 10:
                # The hub has what was said so far: some commits are without an fsync.
                messages = outbox.unsent(limit=5)
                outbox.delivered(messages[0].epoch, [(messages[0].seq, messages[-1].seq)])
        # What stands on the card while it runs: SQLite empties the log only when the last connection closes.
        whole, log = path.read_bytes(), path.with_name("moodify.db-wal").read_bytes()
    assert len(log) > 200_000
    kept = set()
    for n in range(CUTS):
        folder = tmp_path / f"card{n}"
        folder.mkdir()
        length = chance.randrange(len(log)) if n else 0
        # The last blocks of a log that was being written may be anything.
        torn = log[:length] + os.urandom(512 * (n % 3))
        (folder / "moodify.db").write_bytes(whole)
        (folder / "moodify.db-wal").write_bytes(torn)
        assert prepare(folder / "moodify.db") is None
        with closing(sqlite3.connect(folder / "moodify.db")) as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM events ORDER BY n")]
            waiting = {item["id"] for (text,) in connection.execute("SELECT items FROM outbox") for item in json.loads(text)}
        commits = len(ids) // 3
        assert [set(ids[at : at + 3]) for at in range(0, len(ids), 3)] == recorded[:commits]
        assert waiting <= set(ids)
        with Store(folder / "moodify.db") as store, Outbox(folder / "moodify.db") as outbox:
            store.record([event()])
            assert outbox.unsent(limit=1_000)[-1].seq == commits + 1
        kept.add(commits)
        shutil.rmtree(folder)
    assert len(kept) > CUTS // 2
