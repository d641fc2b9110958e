"""A backup holds everything of one moment, and either database can be filled from it."""

import json
import threading
import zipfile
from itertools import product

import pytest
from sqlalchemy import select

from moodify.errors import StoreBusy, StoreError
from moodify.hub.database import open_database
from moodify.hub.database.models import Base
from summaries import DAY, NOW, enrolled, item, summary
from waiting import wait_until

KINDS = ["SQLite", "PostgreSQL"]


@pytest.fixture
def fresh(request, tmp_path):
    """Give one more empty database of a kind with each call; all are closed in the end."""
    opened = []

    def one(kind):
        target = tmp_path / f"hub-{len(opened)}.db" if kind == "SQLite" else request.getfixturevalue("postgresql").new_database()
        opened.append(open_database(target))
        return opened[-1]

    yield one
    for database in opened:
        database.close()


def content(database):
    with database._transactions.reading(snapshot=True) as connection:
        return {table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))] for table in Base.metadata.sorted_tables if table.name != "hub"}


def fill(database):
    kitchen, hall = enrolled(database, name="Küche"), enrolled(database, name="Hall")
    database.intake.commit([summary(kitchen, seq, item(title="\0 ☕ \ud800"), item(at="never")) for seq in (1, 2, 5)], NOW)
    database.intake.commit([summary(hall, seq, epoch=epoch) for seq in range(1, 30) for epoch in "ab"], NOW)
    done = database.commands.add(hall, "volume", {"percent": 20}, NOW, expires_s=60)
    database.commands.answered(hall, done.id, status="error", error="no", data={"cap": 10}, now=NOW)
    database.commands.add(hall, "rescan", {}, NOW, expires_s=60)
    database.registry.revoke(kitchen, NOW + DAY)
    return hall


@pytest.mark.parametrize(("source", "target"), [pytest.param(*pair, marks=[pytest.mark.servers] if "PostgreSQL" in pair else []) for pair in product(KINDS, KINDS)])
def test_a_database_is_the_same_after_backup_and_restore_in_either(fresh, tmp_path, source, target):
    old, new = fresh(source), fresh(target)
    hall = fill(old)
    before = new.registry.revision()
    assert old.dump(tmp_path / "backup.zip") == new.load(tmp_path / "backup.zip")
    assert content(new) == content(old)
    assert new.registry.revision() > max(before, old.registry.revision())
    # And it goes on: numbers that are given follow those that were.
    assert new.intake.commit([summary(hall, 29, epoch="a"), summary(hall, 30, epoch="a")], NOW).events == 1
    newest = new.events.events(limit=1)[0]
    assert (newest.seq, newest.n) == (30, old.events.events(limit=1)[0].n + 1)
    enrolled(new)
    assert new.commands.waiting(NOW) == old.commands.waiting(NOW)
    assert new.commands.add(hall, "pause", {}, NOW, expires_s=5) in new.commands.waiting(NOW)


def test_a_backup_is_private_and_nothing_is_beside_it(database, tmp_path):
    fill(database)
    database.dump(tmp_path / "kept" / "backup.zip")
    (file,) = (tmp_path / "kept").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("backup.zip", 0o600)


def test_a_backup_that_is_taken_while_the_hub_works_is_of_one_moment(database, fresh, tmp_path):
    device = enrolled(database)
    stop, done = threading.Event(), []

    def work():
        while not stop.is_set():
            database.intake.commit([summary(device, len(done) + 1, item(), item())], NOW)
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(5):
            wait_until(lambda number=number: len(done) > number, what="another commit")
            database.dump(tmp_path / f"{number}.zip")
    finally:
        stop.set()
        thread.join()
    received = []
    for number in range(5):
        copy = fresh("SQLite")
        copy.load(tmp_path / f"{number}.zip")
        streams = copy.events.streams(device)
        received.append(streams[0].received if streams else 0)
        assert len(copy.events.events(limit=100_000)) == 2 * received[-1]
    assert received == sorted(received)
    assert received[-1] > received[0]


def test_restoring_over_something_is_refused(database, tmp_path):
    fill(database)
    database.dump(tmp_path / "backup.zip")
    before = content(database)
    with pytest.raises(StoreError, match="not empty; restore into a fresh database"):
        database.load(tmp_path / "backup.zip")
    assert content(database) == before


def rewritten(file, change):
    """Write a backup anew with its parts, by name, changed."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def _note(**changes):
    def change(parts):
        parts["backup.json"] = json.dumps(json.loads(parts["backup.json"]) | changes).encode()

    return change


def _put(name, part):
    return lambda parts: parts.update({name: part})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_note(program="another"), "another program's"),
        (_note(format=2), "newer Moodify"),
        (_note(version="9999"), "newer Moodify"),
        (_note(rows={}), "no whole backup"),
        (_put("backup.json", b"{"), "no whole backup"),
        (_put("backup.json", b"[]"), "no whole backup"),
        (lambda parts: parts.pop("backup.json"), "no whole backup"),
        (lambda parts: parts.pop("streams.jsonl"), "no whole backup"),
        (lambda parts: parts.update({"events.jsonl": parts["events.jsonl"][:-20]}), "no whole backup"),
        (_put("events.jsonl", b""), "no whole backup"),
        (_put("events.jsonl", b"\xff\n"), "no whole backup"),
        (_put("events.jsonl", b"[1]\n"), "no whole backup"),
        (_put("devices.jsonl", b'{"id":"m-1","colour":"red"}\n' * 2), "no whole backup"),
        (_put("devices.jsonl", b'{"id":{},"name":"x","enrolled":"2026-01-01T00:00:00+00:00"}\n' * 2), "no whole backup"),
        (_put("devices.jsonl", b'{"id":"m-1","name":"x","enrolled":7}\n' * 2), "no whole backup"),
        (_put("streams.jsonl", b'{"n":1,"device":"m-nobody","epoch":"x","floor":0,"forgotten":0}\n' * 3), "no whole backup"),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_nothing_of_it_is_taken(database, fresh, tmp_path, change, reason):
    source = fresh("SQLite")
    fill(source)
    source.dump(tmp_path / "backup.zip")
    rewritten(tmp_path / "backup.zip", change)
    with pytest.raises(StoreError, match=reason):
        database.load(tmp_path / "backup.zip")
    assert not any(content(database).values())


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: content[:400] + b"?" * 40 + content[440:], lambda _: b"", lambda _: b"a song"])
def test_a_damaged_file_is_refused(fresh, tmp_path, damage):
    source, target, file = fresh("SQLite"), fresh("SQLite"), tmp_path / "backup.zip"
    fill(source)
    source.dump(file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(StoreError, match="no whole backup"):
        target.load(file)


def test_a_file_that_is_not_there_says_so(database, tmp_path):
    with pytest.raises(StoreError, match="No such file"):
        database.load(tmp_path / "backup.zip")


def test_a_backup_that_can_not_be_written_leaves_the_last_one(database, tmp_path, monkeypatch):
    fill(database)
    file = tmp_path / "backup.zip"
    database.dump(file)
    before = file.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreBusy, match="No space left on device"):
        database.dump(file)
    assert (file.read_bytes(), [path.name for path in tmp_path.glob("backup*")]) == (before, ["backup.zip"])
