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


def test_a_checkpoint_that_a_power_cut_ends_anywhere_loses_no_commit(path, tmp_path, event):
    chance = random.Random(6)
    with Store(path) as store:
        # Bring what the first start wrote into the file, so that all that follows is in the log alone.
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = path.read_bytes()
        recorded = [event(text="x" * chance.randrange(2_000)) for _ in range(150)]
        for at in range(0, len(recorded), 3):
            store.record(recorded[at : at + 3])
        log = path.with_name("moodify.db-wal").read_bytes()
        store._db.execute("PRAGMA wal_checkpoint(FULL)")
        after = path.read_bytes()
    assert len(after) > len(before) + 100_000
    for n in range(CUTS):
        # The log is on the card before its pages go into the file, in an order that nobody promises; the last may be torn.
        content = bytearray(before.ljust(len(after), b"\0") if n % 2 else before)
        for start in range(0, len(content), 512):
            if chance.random() < n / CUTS:
                content[start : start + 512] = after[start : start + 512]
        folder = tmp_path / f"card{n}"
        folder.mkdir()
        (folder / "moodify.db").write_bytes(content)
        (folder / "moodify.db-wal").write_bytes(log)
        assert prepare(folder / "moodify.db") is None
        with closing(sqlite3.connect(folder / "moodify.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert [row[0] for row in connection.execute("SELECT id FROM events ORDER BY n")] == [each.id for each in recorded]
        shutil.rmtree(folder)
