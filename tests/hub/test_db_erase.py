"""A device that is erased leaves nothing, and nobody else loses anything. On SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import func, select

from moodify.cloud.keys import device_of, pem_of
from moodify.errors import NoSuchDevice
from moodify.hub.database import open_database
from moodify.hub.database.models import CommandRow, DeviceRow, EventRow, KeyRow, MessageRow, QuarantineRow, StreamRow
from summaries import NOW, enrolled, item, new_key, summary

BAD = {"id": "x", "kind": "mood", "at": "never", "data": {}}
TABLES = (CommandRow, DeviceRow, EventRow, KeyRow, MessageRow, QuarantineRow, StreamRow)
"""Those in which something of a device can stand."""


def rows(database):
    """Return how many rows each table has, by name."""
    with database._transactions.reading() as connection:
        return {table.__tablename__: connection.scalar(select(func.count()).select_from(table)) for table in TABLES}


def lived(database, key=None):
    """Let a device in and have it leave something in every table; return its id."""
    key = key or new_key()
    device = database.registry.enrol(device_of(key), pem_of(key), NOW).id
    database.registry.add_key(device, pem_of(new_key()), NOW)
    database.intake.commit([summary(device, 1, item(), item()), summary(device, 2, item(), BAD), summary(device, 1, epoch="epoch-2")], NOW)
    for name in ("rescan", "pause"):
        command = database.commands.add(device, name, {}, NOW, expires_s=60)
    database.commands.answered(device, command.id, status="ok", error=None, data={}, now=NOW)
    return device


def test_what_is_erased_is_in_no_table_any_more_and_the_others_are_whole(database):
    other = lived(database)
    before = rows(database)
    assert [name for name, count in before.items() if not count] == []
    device = lived(database)
    revision = database.registry.revision()
    assert database.registry.erase(device) == 4
    assert rows(database) == before
    assert database.registry.device(device) is None
    assert database.registry.revision() > revision
    assert len(database.events.events(other)) == 4
    assert len(database.commands.of(other)) == 2


def test_erasing_again_or_what_never_was_is_said(database):
    device = enrolled(database)
    database.registry.erase(device)
    for unknown in (device, "m-aaaaaaaaaaaaaaaa", "", "m-\0"):
        with pytest.raises(NoSuchDevice, match="moodify hub devices"):
            database.registry.erase(unknown)


def test_a_revoked_device_can_be_erased(database):
    device = lived(database)
    database.registry.revoke(device, NOW)
    assert database.registry.erase(device) == 4
    assert set(rows(database).values()) == {0}


def test_one_that_is_let_in_again_begins_anew(database):
    key = new_key()
    device = lived(database, key)
    database.registry.erase(device)
    assert database.intake.commit([summary(device, 1)], NOW).acks == ()
    assert lived(database, key) == device
    assert len(database.events.events(device)) == 4


def test_who_stores_while_a_device_is_erased_leaves_nothing_of_it_and_loses_nothing_of_others(database_target):
    with ExitStack() as stack:
        hubs = [stack.enter_context(open_database(database_target)) for _ in range(2)]
        other = enrolled(hubs[0])

        def store(device, number, which):
            told = 0
            for seq in range(1, 11):
                batch = [summary(device, seq, epoch=f"e{number}"), summary(other, seq, epoch=f"{which}-{number}")]
                told += sum(ack.device == other for ack in hubs[number % 2].intake.commit(batch, NOW).acks)
                with suppress(NoSuchDevice):
                    hubs[number % 2].commands.add(device, "rescan", {}, NOW, expires_s=60)
            return told

        for which in range(8):
            device = enrolled(hubs[0])
            with ThreadPoolExecutor(4) as threads:
                running = [threads.submit(store, device, number, which) for number in range(3)]
                erased = threads.submit(hubs[1].registry.erase, device)
                assert sum(each.result() for each in running) == 30
                erased.result()
            found = rows(hubs[0])
            assert (found["devices"], found["keys"], found["commands"]) == (1, 1, 0)
            assert hubs[0].events.events(device) == []
            assert found["streams"] == 3 * (which + 1)
            assert found["events"] == found["messages"] == 30 * (which + 1)
