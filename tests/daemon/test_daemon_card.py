"""What an SD card has to bear: commits and bytes of an hour, counted by SQLite and by the kernel, on a clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
from daemon_house import CALM, DaemonHouse

from moodify.daemon import signals as sig
from moodify.hub.database import engine, open_database
from moodify.hub.reading import read_summary
from moodify.music.taste_keeping import KeptTaste
from moodify.store.history import History
from moodify.store.outbox import Outbox
from moodify.system.health import read_health
from summaries import enrolled

HOUR_S = 3600


class Commits:
    """Counts the transactions of connections that changed something."""

    def __init__(self):
        self.count = 0
        self.by = {}

    def add(self, name):
        self.count += 1
        self.by[name] = self.by.get(name, 0) + 1

    def watch(self, name, connected):
        connection, before = connected._db.conn, 0

        def trace(statement):
            nonlocal before
            if statement.startswith("BEGIN"):
                before = connection.total_changes
            elif statement == "COMMIT" and connection.total_changes != before:
                self.add(name)

        connection.set_trace_callback(trace)


class HubsDatabase:
    """Where the hub beside the appliance keeps what it is told, as its collector does; the rest of it writes once a day, and its broker nothing."""

    def __init__(self, folder, commits):
        self._database = open_database(folder / "hub" / "hub.db")
        self._device = enrolled(self._database)

        @sqlalchemy.event.listens_for(self._database._transactions._engine, "commit")
        def count(connection):
            if connection.get_execution_options().get(engine._WRITES):
                commits.add("hub")

        self.close = self._database.close

    def take(self, messages):
        """Commit what has come; return what it tells the device of it."""
        return self._database.intake.commit([read_summary(self._device, message.payload) for message in messages], datetime.now(UTC)).acks


class Household(DaemonHouse):
    """The daemon's real parts with the household's own waiting times, health that is read, and the database of a hub that has each summary at once."""

    def __init__(self, folder, rules):
        super().__init__(folder, rules=rules, remembers=True)
        self.kept.recall_taste(KeptTaste(self.taste, self.settings, self.clock.utc(), clock=self.clock.now_s))
        self.outbox = Outbox(self.path)
        self.commits = Commits()
        for name, connected in (("events", self.store), ("settings", self.settings), ("acknowledgements", self.outbox)):
            self.commits.watch(name, connected)
        self.hub = HubsDatabase(folder, self.commits)
        self.acknowledged = 0

    def _read_health(self):
        super()._read_health()
        self.put(sig.HealthRead(read_health(self.path.parent)))

    def acknowledge(self):
        if messages := self.outbox.unsent(limit=100):
            for ack in self.hub.take(messages):
                self.outbox.delivered(ack.epoch, ack.ranges)
            self.acknowledged += len(messages)

    def spend(self, seconds, *faces):
        """Show one frame a second, as an idle camera does."""
        for _ in range(seconds):
            self.look(*faces, after_s=1.0)
            self.acknowledge()

    def close(self):
        super().close()
        self.outbox.close()
        self.hub.close()


def bytes_written():
    """Return what this process has had written: by calls, and to the storage."""
    said = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(said["wchar"]), int(said["write_bytes"])


def an_hour(folder, *faces, rules, capsys, what):
    """Return commits and bytes of the second hour, in which nothing begins any more."""
    with Household(folder, rules) as house:
        house.sees_well()
        house.spend(600, *faces)
        first, (chars, stored), told = house.commits.count, bytes_written(), len(house.events)
        house.commits.by.clear()
        house.spend(HOUR_S, *faces)
        commits = house.commits.count - first
        now_chars, now_stored = bytes_written()
        by, told, readings = dict(house.commits.by), len(house.events) - told, house.health_readings
        assert house.acknowledged > 0
        with History(house.path) as history:
            assert history.status().unsent == 0
    with capsys.disabled():
        print(f"\n{what}: {commits} commits in an hour {by}, {told} events, {(now_chars - chars) / 1e3:.0f} kB by calls, {(now_stored - stored) / 1e3:.0f} kB to the storage")  # noqa: T201 - figures
    assert readings >= HOUR_S // 300
    return commits, now_chars - chars, by


def test_an_idle_hour_costs_less_than_a_commit_a_minute(tmp_path, capsys):
    commits, written, by = an_hour(tmp_path, rules={}, capsys=capsys, what="nobody there")
    assert 0 < by["hub"] < commits <= 60
    assert written < 4_000_000


def test_an_hour_with_somebody_there_and_music_costs_little_more(tmp_path, capsys):
    commits, written, by = an_hour(tmp_path, CALM, rules={"music": {"start_when_silent": True}}, capsys=capsys, what="somebody calm, music")
    # A song that comes is remembered, noted and told.
    assert 30 < by["events"] < commits <= 220
    assert written < 10_000_000
