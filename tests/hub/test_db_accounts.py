"""Accounts in a hub's database: busy, damaged, away, and carried along in backups. What they do is in tests/accounts."""

import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from moodify.accounts.codes import Code, Purpose
from moodify.accounts.session import Session, new_life
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.errors import StoreBusy, StoreError
from moodify.hub.database import engine, open_database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = User(uuid4(), "ada@example.org", "Ada", "Lovelace", Role.OWNER, active=True, created_at=NOON, updated_at=NOON)
SESSION = Session(uuid4(), ADA.id, "Firefox", new_life(NOON), bytes(32))
CODE = Code(uuid4(), Purpose.INVITATION, Role.MEMBER, "Bo", ADA.id, new_life(NOON), bytes(32))

CALLS = {
    "by_id": lambda kept: kept.by_id(ADA.id),
    "everybody": lambda kept: kept.everybody(),
    "sessions_of": lambda kept: kept.sessions_of(ADA.id),
    "codes": lambda kept: kept.codes(),
    "count_failure": lambda kept: kept.count_failure(ADA.id, NOON),
    "begin": lambda kept: kept.begin(SESSION, "hash"),
    "renew": lambda kept: kept.renew(SESSION, SESSION),
    "redate": lambda kept: kept.redate(lambda life: life),
    "remove": lambda kept: kept.remove(ADA.id),
}


def filled(database):
    kept = TableAccounts(database.accounts)
    kept.add(ADA, "hash")
    kept.begin(SESSION, "hash")
    kept.add_code(CODE)
    return kept


@pytest.mark.parametrize("name", CALLS)
def test_a_table_that_is_gone_must_be_seen_to_and_no_error_of_a_driver_escapes(database, name):
    kept = filled(database)
    with database._transactions.writing() as connection:
        for table in ("sessions", "codes", "users"):
            connection.execute(text(f"DROP TABLE {table}"))
    with pytest.raises(StoreError):
        CALLS[name](kept)


def test_while_another_process_writes_to_the_file_it_is_busy_and_readers_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.1)
    with open_database(tmp_path / "hub.db") as database, closing(sqlite3.connect(tmp_path / "hub.db")) as other:
        kept = filled(database)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            kept.count_failure(ADA.id, NOON)
        assert kept.tries(ADA.id).failures == 0
        other.rollback()
        assert kept.count_failure(ADA.id, NOON).failures == 1


def test_a_backup_carries_accounts_along(database, database_target, tmp_path):
    kept = filled(database)
    database.dump(tmp_path / "backup.zip")
    with open_database(tmp_path / "other.db") as other:
        other.load(tmp_path / "backup.zip")
        restored = TableAccounts(other.accounts)
        assert restored.everybody() == kept.everybody()
        assert restored.password_hash(ADA.id) == "hash"
        assert (restored.sessions_of(ADA.id), restored.codes()) == ((SESSION,), (CODE,))


def _rewritten(file, change):
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    note = json.loads(content["backup.json"])
    change(note, content)
    content["backup.json"] = json.dumps(note).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def _as_before_accounts(note, content):
    note["version"] = "0002"
    for table in set(note["rows"]) - {"hub", "devices", "keys", "streams", "messages", "events", "quarantine", "commands"}:
        del note["rows"][table], content[f"{table}.jsonl"]


def test_a_backup_from_before_there_were_accounts_can_be_restored(tmp_path):
    with open_database(tmp_path / "old.db") as old:
        old.dump(tmp_path / "backup.zip")
    _rewritten(tmp_path / "backup.zip", _as_before_accounts)
    with open_database(tmp_path / "new.db") as new:
        new.load(tmp_path / "backup.zip")
        assert filled(new).everybody() != ()


def test_a_backup_of_this_version_without_its_accounts_is_not_whole(tmp_path):
    def lose_users(note, content):
        del note["rows"]["users"], content["users.jsonl"]

    with open_database(tmp_path / "old.db") as old:
        filled(old)
        old.dump(tmp_path / "backup.zip")
    _rewritten(tmp_path / "backup.zip", lose_users)
    with open_database(tmp_path / "new.db") as new, pytest.raises(StoreError, match="no whole backup"):
        new.load(tmp_path / "backup.zip")
