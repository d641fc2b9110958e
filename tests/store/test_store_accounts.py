"""Accounts in the appliance's own database: threads, other programs, full disks, power cuts, and files that are no good."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from moodify import sqlite
from moodify.accounts.codes import Code, Purpose
from moodify.accounts.session import Session, new_life
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.errors import StoreBusy, StoreError
from moodify.store import accounts as store_accounts
from moodify.store import migrations
from moodify.store.accounts import AccountTransactions
from moodify.store.history import History
from moodify.store.prepare import prepare
from moodify.store.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_user(email="ada@example.org", **fields):
    return User(**{"id": uuid4(), "email": email, "first_name": "Ada", "last_name": "", "role": Role.OWNER, "active": True, "created_at": NOON, "updated_at": NOON} | fields)


def a_session(user):
    return Session(uuid4(), user.id, "Firefox", new_life(NOON), bytes(32))


def a_code():
    return Code(uuid4(), Purpose.INVITATION, Role.MEMBER, "Bo", None, new_life(NOON), bytes(32))


ADA = a_user()
SESSION = a_session(ADA)
READS = {
    "by_id": lambda kept: kept.by_id(ADA.id),
    "by_email": lambda kept: kept.by_email(ADA.email),
    "everybody": lambda kept: kept.everybody(),
    "password_hash": lambda kept: kept.password_hash(ADA.id),
    "tries": lambda kept: kept.tries(ADA.id),
    "session": lambda kept: kept.session(SESSION.id),
    "sessions_of": lambda kept: kept.sessions_of(ADA.id),
    "codes": lambda kept: kept.codes(),
}
WRITES = {
    "add": lambda kept: kept.add(a_user("bo@example.org"), "hash"),
    "change": lambda kept: kept.change(ADA.id, lambda user: user),
    "remove": lambda kept: kept.remove(ADA.id),
    "set_password_hash": lambda kept: kept.set_password_hash(ADA.id, "newer"),
    "rehash": lambda kept: kept.rehash(ADA.id, "hash", "newer"),
    "count_failure": lambda kept: kept.count_failure(ADA.id, NOON),
    "clear_failures": lambda kept: kept.clear_failures(ADA.id),
    "begin": lambda kept: kept.begin(a_session(ADA), "hash"),
    "renew": lambda kept: kept.renew(SESSION, SESSION),
    "end": lambda kept: kept.end(SESSION.id),
    "end_all": lambda kept: kept.end_all(ADA.id),
    "end_old": lambda kept: kept.end_old(NOON),
    "redate": lambda kept: kept.redate(lambda life: life.moved(timedelta(days=1))),
    "add_code": lambda kept: kept.add_code(a_code()),
    "withdraw": lambda kept: kept.withdraw(uuid4()),
}


@pytest.fixture
def transactions(path):
    with AccountTransactions(path) as transactions:
        yield transactions


@pytest.fixture
def kept(transactions):
    kept = TableAccounts(transactions)
    kept.add(ADA, "hash")
    kept.begin(SESSION, "hash")
    return kept


@pytest.mark.parametrize("name", READS)
def test_who_reads_does_not_wait_for_another_program_that_writes(kept, path, name):
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        READS[name](kept)


@pytest.mark.parametrize("name", WRITES)
def test_while_another_program_writes_it_is_busy_and_nothing_is_changed(path, monkeypatch, name):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    with AccountTransactions(path) as transactions, closing(sqlite3.connect(path)) as other:
        kept = TableAccounts(transactions)
        kept.add(ADA, "hash")
        kept.begin(SESSION, "hash")
        before = content(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"):
            WRITES[name](kept)
        other.rollback()
        assert content(path) == before
        kept.clear_failures(ADA.id)


def test_while_another_thread_writes_for_too_long_it_is_busy(transactions, kept, monkeypatch):
    monkeypatch.setattr(store_accounts, "BUSY_TIMEOUT_S", 0.05)
    with transactions.writing(), ThreadPoolExecutor(1) as threads:
        assert threads.submit(kept.by_id, ADA.id).result() == replace(ADA, last_sign_in_at=NOON)
        with pytest.raises(StoreBusy, match="in use"):
            threads.submit(kept.end, SESSION.id).result()


def test_many_threads_read_and_write_at_once(kept):
    def use(number):
        kept.count_failure(ADA.id, NOON)
        session = a_session(ADA)
        assert kept.begin(session, "hash")
        assert kept.session(session.id) == session
        return kept.renew(session, replace(session, label=str(number)))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(40)))
    assert len(kept.sessions_of(ADA.id)) == 41


def content(path):
    with closing(sqlite3.connect(path)) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in ("users", "sessions", "codes")}


GROWING = {
    "users": lambda kept: kept.add(a_user(f"{uuid4()}@example.org"), "hash" * 500),
    "sessions": lambda kept: kept.begin(a_session(ADA), "hash"),
    "codes": lambda kept: kept.add_code(a_code()),
}


@pytest.mark.parametrize("table", GROWING)
def test_a_full_disk_is_busy_and_keeps_what_was_done_before(kept, transactions, path, table):
    transactions._writer.execute("PRAGMA max_page_count = 1")
    before, done = len(content(path)[table]), []

    def until_full():
        while True:
            GROWING[table](kept)
            done.append(1)

    with pytest.raises(StoreBusy, match="full"):
        until_full()
    assert len(content(path)[table]) == before + len(done)


@pytest.mark.parametrize("name", READS | WRITES)
def test_no_error_of_sqlite_escapes_where_the_tables_are_gone(kept, path, name):
    with closing(sqlite3.connect(path)) as other:
        for table in ("sessions", "codes", "users"):
            other.execute(f"DROP TABLE {table}")
        other.commit()
    with pytest.raises(StoreError):
        (READS | WRITES)[name](kept)


def test_a_file_that_is_missing_is_told(path):
    with pytest.raises(StoreError):
        AccountTransactions(path.with_name("nowhere.db"))


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("UPDATE users SET role = 'emperor'", "by_id"),
        ("UPDATE users SET email = 'nonsense'", "everybody"),
        ("UPDATE users SET created = 'yesterday'", "everybody"),
        ("UPDATE users SET preferences = '{'", "by_id"),
        ('UPDATE users SET preferences = \'{"goal": "sleep"}\'', "by_id"),
        ("UPDATE users SET skin_type = 7", "by_id"),
        ("UPDATE sessions SET token_hash = 'xyz'", "session"),
        ("UPDATE sessions SET used = ''", "sessions_of"),
        ("INSERT INTO codes VALUES ('x', 'claim', 'owner', '', NULL, '', '', '', '')", "codes"),
    ],
)
def test_what_can_not_be_read_is_told_with_what_to_do(kept, path, damage, name):
    with closing(sqlite3.connect(path)) as other:
        other.execute(damage)
        other.commit()
    with pytest.raises(StoreError, match="restore a backup"):
        READS[name](kept)


def test_a_database_from_before_there_were_accounts_gets_them_and_keeps_its_history(tmp_path, event, monkeypatch):
    path = tmp_path / "moodify.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        prepare(path)
        with Store(path) as store:
            store.record([event()])
    assert prepare(path) is None
    with AccountTransactions(path) as transactions, History(path) as history:
        TableAccounts(transactions).add(ADA, "hash")
        assert history.status().events == 1


WRITER = """
import sys
from pathlib import Path
from uuid import UUID, uuid4
from moodify.accounts.session import Session, new_life
from moodify.accounts.tables import TableAccounts
from moodify.store.accounts import AccountTransactions
from datetime import UTC, datetime
kept = TableAccounts(AccountTransactions(Path(sys.argv[1])))
(ada,) = kept.everybody()
while True:
    session = Session(uuid4(), ada.id, "x", new_life(datetime.now(UTC)), bytes(32))
    kept.begin(session, "hash")
    print(session.id, flush=True)
"""


def test_who_was_told_to_be_signed_in_still_is_after_a_kill(kept, path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().strip() for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        told += [line.strip() for line in process.stdout if len(line) == 37]
    assert prepare(path) is None
    assert {UUID(line) for line in told} <= {session.id for session in kept.sessions_of(ADA.id)}


def test_nobody_reads_half_of_a_change(kept, path):
    """Removing somebody takes three statements; another program sees all of it or nothing."""
    kept.add(a_user("bo@example.org"), "hash")
    with AccountTransactions(path) as other:
        looking = TableAccounts(other)

        def look(_):
            with other.reading() as tables:
                users = {row["id"] for row in tables.rows("SELECT id FROM users", {})}
                return {row["user_id"] for row in tables.rows("SELECT user_id FROM sessions", {})} <= users

        with ThreadPoolExecutor(2) as threads:
            looks = threads.map(look, range(200))
            kept.remove(ADA.id)
            assert all(looks)
        assert looking.by_id(ADA.id) is None


def test_closing_twice_is_safe(path):
    transactions = AccountTransactions(path)
    transactions.close()
    transactions.close()
