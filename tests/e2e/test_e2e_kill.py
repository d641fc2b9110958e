"""The daemon is killed at any moment; what it printed is kept, what it kept arrives once, and the hub beside it ends with it."""

import random
import sqlite3
from contextlib import closing
from subprocess import TimeoutExpired

import pytest

from appliance import Appliance, Subscriber, data_folder, hubs_of
from moodify.store.history import History
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROUNDS = 6
ARGUMENTS = ("--camera", "sample", "--speaker", "simulated")


def kept_ids(home):
    with History(data_folder(home) / "moodify.db") as history:
        return [event.id for event in reversed(history.recent(10_000))]


def test_killed_at_any_moment_nothing_committed_is_lost_and_each_event_is_heard_once(tmp_path):
    chance = random.Random(7)
    printed = []
    with Appliance(tmp_path, *ARGUMENTS) as first, Subscriber(tmp_path) as subscriber:
        first.wait_for("link", state="ok")
        assert first.end() == 0
        before = set(kept_ids(tmp_path))

        for _ in range(ROUNDS):
            killed = Appliance(tmp_path, *ARGUMENTS)
            with pytest.raises(TimeoutExpired):
                killed.process.wait(chance.uniform(1, 8))
            killed.kill()
            # The one of the round before ends by itself.
            wait_until(lambda: len(hubs_of(tmp_path)) <= 2, within_s=30, what="the end of all hubs but one")
            with closing(sqlite3.connect(data_folder(tmp_path) / "moodify.db")) as database:
                assert database.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            printed += [event["id"] for event in killed.events]
            assert set(printed) <= set(kept_ids(tmp_path))
        assert printed

        with Appliance(tmp_path, *ARGUMENTS) as last:
            last.wait_for("link", state="ok")
            assert len(hubs_of(tmp_path)) == 2
            kept = set(kept_ids(tmp_path)) - before
            wait_until(lambda: kept <= {heard.id for heard in subscriber.heard}, within_s=30, what="hearing all that was kept")
            assert last.end() == 0
    heard = [heard.id for heard in subscriber.heard if heard.id not in before]
    assert len(heard) == len(set(heard))
    assert set(heard) <= set(kept_ids(tmp_path))
    numbers = {heard.seq for heard in subscriber.heard}
    assert numbers == set(range(min(numbers), max(numbers) + 1))
    assert len({heard.epoch for heard in subscriber.heard}) == 1
    assert hubs_of(tmp_path) == []
