"""A database that is locked, full, away or broken: what everybody is told, and that no error of a driver comes through."""

import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, insert, text

from moodify.cloud.keys import pem_of
from moodify.errors import MoodifyError, StoreBusy, StoreError
from moodify.hub.database import engine, open_database
from moodify.hub.database.models import DeviceRow
from servers import running_postgresql
from summaries import NOW, enrolled, item, new_key, summary

DEVICE = "m-aaaaaaaaaaaaaaaa"

READS = {
    "check": lambda database: database.check(),
    "device": lambda database: database.registry.device(DEVICE),
    "devices": lambda database: database.registry.devices(),
    "revision": lambda database: database.registry.revision(),
    "used": lambda database: database.registry.used(DEVICE, "kid", NOW),
    "waiting": lambda database: database.commands.waiting(NOW),
    "get": lambda database: database.commands.get("x"),
    "of": lambda database: database.commands.of(DEVICE),
    "events": lambda database: database.events.events(),
    "streams": lambda database: database.events.streams(DEVICE),
    "dump": lambda database: database.dump(Path("backup.zip")),
}
WRITES = {
    "enrol": lambda database: database.registry.enrol(DEVICE, pem_of(new_key()), NOW),
    "add_key": lambda database: database.registry.add_key(DEVICE, pem_of(new_key()), NOW),
    "revoke": lambda database: database.registry.revoke(DEVICE, NOW),
    "commit": lambda database: database.intake.commit([summary(DEVICE, 1)], NOW),
    "add": lambda database: database.commands.add(DEVICE, "rescan", {}, NOW, expires_s=1),
    "answered": lambda database: database.commands.answered(DEVICE, "x", status="ok", error=None, data={}, now=NOW),
    "retain": lambda database: database.retain(1, NOW),
    "load": lambda database: database.load(Path("empty.zip")),
}
ALL = READS | WRITES


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "_WAIT_S", 0.3)
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.3)
    monkeypatch.chdir(tmp_path)
    with open_database(tmp_path / "empty.db") as empty:
        empty.dump(Path("empty.zip"))


def told(call, database):
    """Return what class of error a call ends in."""
    with pytest.raises(MoodifyError) as caught:
        call(database)
    return type(caught.value)


@pytest.mark.parametrize("name", WRITES)
def test_while_another_process_writes_to_the_file_it_is_busy(tmp_path, name):
    with open_database(tmp_path / "hub.db") as database, closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert told(WRITES[name], database) is StoreBusy
        other.rollback()
        enrolled(database)


def test_readers_do_not_wait_for_who_writes(tmp_path):
    with open_database(tmp_path / "hub.db") as database, closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        for call in READS.values():
            call(database)


def test_while_another_thread_writes_it_is_busy(tmp_path):
    with open_database(tmp_path / "hub.db") as database, database._transactions.writing():
        found = []
        thread = threading.Thread(target=lambda: found.append(told(WRITES["enrol"], database)))
        thread.start()
        thread.join()
        assert found == [StoreBusy]


def test_a_full_disk_is_busy_and_nothing_is_half_stored(tmp_path):
    with open_database(tmp_path / "hub.db") as database:
        device = enrolled(database)

        @event.listens_for(database._transactions._engine, "begin")
        def fill_up(connection):
            connection.exec_driver_sql("PRAGMA max_page_count = 1")

        with pytest.raises(StoreBusy, match="free disk space"):
            database.intake.commit([summary(device, 1), summary(device, 2, item(note="x" * 200_000))], NOW)
        assert database.events.streams(device) == []
        assert database.events.events() == []


@pytest.mark.parametrize("name", sorted(READS.keys() - {"dump"}))
def test_a_damaged_file_must_be_seen_to(tmp_path, name):
    with open_database(tmp_path / "hub.db") as database:
        enrolled(database)
    with (tmp_path / "hub.db").open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match="restore a backup"), open_database(tmp_path / "hub.db") as database:
        READS[name](database)


@pytest.mark.parametrize("name", ALL)
def test_a_table_that_is_gone_must_be_seen_to(database, name):
    with database._transactions.writing() as connection:
        for table in ("hub", "alert_messages", "alerts", "quarantine", "keys", "commands", "events", "messages", "streams", "devices"):
            connection.execute(text(f"DROP TABLE {table}"))
    assert told(ALL[name], database) is StoreError


def test_more_threads_than_connections_are_told_to_come_again(database_target, monkeypatch):
    monkeypatch.setattr(engine, "_KEPT", 1)
    monkeypatch.setattr(engine, "_MORE", 0)
    with open_database(database_target) as database:
        with database._transactions.reading(), pytest.raises(StoreBusy, match="all connections are in use"):
            database.check()
        database.check()


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL that may be killed."""
    with running_postgresql() as server:
        yield server


@pytest.mark.servers
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
def test_a_postgresql_that_is_away_is_busy_and_when_it_is_back_the_hub_goes_on(server, number):
    target = server.new_database()
    with open_database(target) as database:
        device = enrolled(database)
        server.stop(number)
        for call in ALL.values():
            assert told(call, database) is StoreBusy
        with pytest.raises(StoreBusy):
            open_database(target)
        server.start()
        assert database.intake.commit([summary(device, 1)], NOW).events == 1


@pytest.mark.servers
def test_connections_that_postgresql_has_cut_are_made_anew(postgresql):
    with open_database(postgresql.new_database()) as database:
        database.check()
        postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'moodify-hub'")
        database.check()


@pytest.mark.servers
def test_a_connection_that_is_cut_within_a_transaction_is_busy(postgresql):
    def commit_while_it_is_cut(database):
        with database._transactions.writing() as connection:
            postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'moodify-hub'")
            connection.execute(text("UPDATE hub SET revision = 0"))

    with open_database(postgresql.new_database()) as database:
        assert told(commit_while_it_is_cut, database) is StoreBusy
        assert database.registry.revision() > 0


@pytest.mark.servers
def test_a_lock_that_another_hub_holds_for_too_long_is_busy(postgresql):
    target = postgresql.new_database()
    with open_database(target) as one, open_database(target) as two, one._transactions.writing() as connection:
        connection.execute(text("SELECT id FROM hub FOR UPDATE"))
        with pytest.raises(StoreBusy, match="lock timeout"):
            enrolled(two)


@pytest.mark.servers
def test_rights_that_are_missing_must_be_given(postgresql):
    target = postgresql.new_database()
    with open_database(target) as database:
        database.check()
    postgresql.sql("CREATE ROLE stranger LOGIN")
    with pytest.raises(StoreError, match=r"permission denied.*rights"):
        open_database(target.replace("postgres@", "stranger@"))


def test_what_breaks_a_rule_of_the_database_is_told_without_the_row(database):
    device = enrolled(database, name="Secret Garden")

    def enrol_twice(database):
        with database._transactions.writing() as connection:
            connection.execute(insert(DeviceRow).values(id=device, name="Secret Garden", enrolled=NOW))

    with pytest.raises(StoreError) as caught:
        enrol_twice(database)
    assert "unique" in str(caught.value).lower()
    assert not {"Garden", device, "INSERT"} & set(str(caught.value).replace("(", " ").replace(")", " ").split())
    assert [each.id for each in database.registry.devices()] == [device]
