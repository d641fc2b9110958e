"""Who allows looks at their skin, and the looks: what goes with whom, threads, other programs, and files that are no good."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from moodify import sqlite
from moodify.accounts.tables import TableAccounts
from moodify.accounts.user import Role, User
from moodify.errors import NoSuchUser, StoreBusy, StoreError
from moodify.store import accounts as store_accounts
from moodify.store import database, migrations
from moodify.store.accounts import AccountTransactions
from moodify.store.database import connect
from moodify.store.prepare import prepare
from moodify.store.skin import Allowed, SkinTables

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BO = UUID(int=1), UUID(int=2)
RECORD = '{"skin_score": 48.25}'


def a_user(user_id, **fields):
    kept = {"email": f"{user_id}@example.org", "first_name": "Ada", "last_name": "", "role": Role.OWNER, "active": True, "created_at": NOON, "updated_at": NOON}
    return User(**{"id": user_id} | kept | fields)


@pytest.fixture
def kept(path):
    with AccountTransactions(path) as transactions:
        kept = TableAccounts(transactions)
        for user in (ADA, BO):
            kept.add(a_user(user), "hash")
        yield kept


@pytest.fixture
def tables(kept, path):
    with SkinTables(path) as tables:
        tables.allow(ADA, NOON)
        yield tables


CALLS = {
    "allowed": lambda tables: tables.allowed(ADA),
    "looks": lambda tables: tables.looks(ADA),
    "shared": lambda tables: tables.shared(),
    "allow": lambda tables: tables.allow(BO, NOON),
    "forbid": lambda tables: tables.forbid(ADA),
    "share": lambda tables: tables.share(ADA, on=True),
    "keep": lambda tables: tables.keep(ADA, NOON, RECORD),
    "remove": lambda tables: tables.remove(ADA, uuid4()),
}
READS = ("allowed", "looks", "shared")
WRITES = [name for name in CALLS if name not in READS]


def test_nobody_allows_looks_who_never_said_so(tables):
    assert tables.allowed(BO) is None
    assert tables.keep(BO, NOON, RECORD) is None
    assert not tables.share(BO, on=True)
    assert tables.allowed(BO) is None
    assert tables.looks(BO) == ()


def test_looks_are_allowed_from_the_first_time_that_they_were_and_not_shared(tables):
    assert tables.allow(ADA, NOON + timedelta(days=1)) == tables.allowed(ADA) == Allowed(NOON, shared=False)


def test_a_date_of_another_zone_is_kept_in_utc(tables):
    tables.allow(BO, datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))))
    assert tables.allowed(BO).since.isoformat() == "2026-06-30T23:30:00+00:00"


def test_sharing_can_be_said_and_taken_back(tables):
    assert tables.share(ADA, on=True)
    assert tables.allowed(ADA) == tables.allow(ADA, NOON) == Allowed(NOON, shared=True)
    assert tables.share(ADA, on=False)
    assert tables.allowed(ADA) == Allowed(NOON, shared=False)


def test_who_has_no_account_can_allow_nothing(tables):
    with pytest.raises(NoSuchUser, match="sign in"):
        tables.allow(uuid4(), NOON)


def test_looks_are_given_in_the_order_of_their_time_and_to_their_person_alone(tables):
    tables.allow(BO, NOON)
    days = {day: tables.keep(ADA, NOON + timedelta(days=day), RECORD) for day in (3, 1, 2)}
    bos = tables.keep(BO, NOON, RECORD)
    assert tables.looks(ADA) == (days[1], days[2], days[3])
    assert tables.looks(BO) == (bos,)


def test_nobody_erases_a_look_of_somebody_else(tables):
    look = tables.keep(ADA, NOON, RECORD)
    tables.allow(BO, NOON)
    assert not tables.remove(BO, look.id)
    assert tables.looks(ADA) == (look,)
    assert tables.remove(ADA, look.id)
    assert not tables.remove(ADA, look.id)
    assert tables.looks(ADA) == ()


def test_who_allows_no_looks_any_more_has_none_and_shares_nothing_when_they_come_back(tables):
    tables.allow(BO, NOON)
    tables.share(ADA, on=True)
    bos = tables.keep(BO, NOON, RECORD)
    for _ in range(3):
        tables.keep(ADA, NOON, RECORD)
    assert tables.forbid(ADA) == 3
    assert (tables.allowed(ADA), tables.looks(ADA), tables.forbid(ADA)) == (None, (), 0)
    assert tables.allow(ADA, NOON + timedelta(days=1)) == Allowed(NOON + timedelta(days=1), shared=False)
    assert tables.looks(BO) == (bos,)


def test_who_is_removed_leaves_no_look_and_others_keep_theirs(tables, kept):
    tables.allow(BO, NOON)
    tables.keep(ADA, NOON, RECORD)
    bos = tables.keep(BO, NOON, RECORD)
    kept.remove(ADA)
    assert (tables.allowed(ADA), tables.looks(ADA)) == (None, ())
    assert tables.looks(BO) == (bos,)


def test_looks_stay_where_their_person_could_not_be_removed(tables, kept, path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    look = tables.keep(ADA, NOON, RECORD)
    with AccountTransactions(path) as transactions, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            TableAccounts(transactions).remove(ADA)
    assert tables.looks(ADA) == (look,)


ERASING = {
    "a look": lambda tables, _kept, look: tables.remove(ADA, look.id),
    "all looks": lambda tables, _kept, _look: tables.forbid(ADA),
    "a person": lambda _tables, kept, _look: kept.remove(ADA),
}


@pytest.mark.parametrize("what", ERASING)
def test_what_is_erased_is_not_in_the_files_any_more(path, monkeypatch, what):
    def as_elsewhere(*arguments, **options):
        # Debian's SQLite overwrites by itself.
        db = connect(*arguments, **options)
        db.execute("PRAGMA secure_delete = OFF")
        return db

    for module in (database, store_accounts):
        monkeypatch.setattr(module, "connect", as_elsewhere)
    with AccountTransactions(path) as transactions, SkinTables(path) as tables:
        kept = TableAccounts(transactions)
        for user in (ADA, BO):
            kept.add(a_user(user), "hash")
        tables.allow(ADA, NOON)
        # Longer than a page, so that it has some of its own.
        look = tables.keep(ADA, NOON, f'{{"reasons": "{"told about my skin " * 500}"}}')
        assert inside(path, b"told about my skin")
        ERASING[what](tables, kept, look)
    with closing(sqlite3.connect(path)) as other:
        # As it happens by itself, now and then: the log goes into the file.
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not inside(path, b"told about my skin")


def inside(path, words):
    return any(words in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_the_newest_look_of_everybody_who_shares_is_what_leaves(tables, kept):
    cleo = UUID(int=3)
    kept.add(a_user(cleo), "hash")
    for user in (BO, cleo):
        tables.allow(user, NOON)
    for day in (2, 1):
        tables.keep(ADA, NOON + timedelta(days=day), f'{{"day": {day}}}')
    bos = tables.keep(BO, NOON, RECORD)
    tables.keep(cleo, NOON, RECORD)
    assert tables.shared() == ()
    for user in (ADA, BO):
        tables.share(user, on=True)
    assert [(look.user, look.record) for look in tables.shared()] == [(ADA, '{"day": 2}'), (BO, bos.record)]
    tables.share(ADA, on=False)
    assert tables.shared() == (bos,)


def test_who_may_not_sign_in_any_more_shares_nothing(tables, kept):
    tables.share(ADA, on=True)
    look = tables.keep(ADA, NOON, RECORD)
    assert tables.shared() == (look,)
    kept.change(ADA, lambda user: a_user(user.id, active=False))
    assert tables.shared() == ()


def test_it_is_seen_that_somebody_else_has_changed_something(tables, path):
    before = tables.version()
    assert tables.version() == before
    with SkinTables(path) as other:
        other.share(ADA, on=True)
    assert tables.version() != before


@pytest.mark.parametrize("name", READS)
def test_who_reads_does_not_wait_for_another_program_that_writes(tables, path, name):
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        CALLS[name](tables)


@pytest.mark.parametrize("name", WRITES)
def test_while_another_program_writes_it_is_busy_and_nothing_is_changed(tables, path, monkeypatch, name):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    look = tables.keep(ADA, NOON, RECORD)
    with SkinTables(path) as hurried, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"):
            CALLS[name](hurried)
    assert (tables.allowed(ADA), tables.allowed(BO), tables.looks(ADA)) == (Allowed(NOON, shared=False), None, (look,))


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("UPDATE skin_people SET opted_in_at = 'yesterday'", "allowed"),
        ("UPDATE skin_people SET opted_in_at = 'yesterday'", "allow"),
        ("UPDATE skin_people SET opted_in_at = x'ff00'", "allowed"),
    ],
)
def test_what_can_not_be_read_is_told_with_what_to_do(tables, path, damage, name):
    tables.share(ADA, on=True)
    tables.keep(ADA, NOON, RECORD)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(damage)
    with pytest.raises(StoreError, match="restore a backup"):
        tables.allow(ADA, NOON) if name == "allow" else CALLS[name](tables)


@pytest.mark.parametrize("damage", ["id = 'x'", "id = 17", "id = x'ff00'"])
def test_a_damaged_look_is_passed_over_given_as_it_is_and_erased_with_the_rest(tables, path, caplog, damage):
    tables.share(ADA, on=True)
    whole, damaged = (tables.keep(ADA, NOON + timedelta(days=day), RECORD) for day in (0, 1))
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(f"UPDATE skin_looks SET {damage} WHERE id = ?", [str(damaged.id)])
    assert (tables.looks(ADA), tables.shared()) == ((whole,), ())
    assert "passed over" in caplog.text
    allowed, looks = tables.everything(ADA)
    assert (allowed["shared"], [look["record"] for look in looks]) == (1, [RECORD, RECORD])
    assert tables.forbid(ADA) == 2


@pytest.mark.parametrize("name", CALLS)
def test_a_database_without_the_tables_is_a_store_error(path, name):
    with closing(sqlite3.connect(path)) as other, other:
        for table in ("skin_looks", "skin_people"):
            other.execute(f"DROP TABLE {table}")
    with SkinTables(path) as tables, pytest.raises((StoreError, NoSuchUser)):
        CALLS[name](tables)


def test_opting_out_while_looks_are_kept_leaves_none(kept, path):
    with SkinTables(path) as tables:
        tables.allow(ADA, NOON)

    def keep(_):
        with SkinTables(path) as tables:
            return tables.keep(ADA, NOON, RECORD)

    with ThreadPoolExecutor(4) as threads:
        kept_ones = threads.map(keep, range(40))
        with SkinTables(path) as tables:
            tables.forbid(ADA)
        list(kept_ones)
        assert tables_are_empty(path)


def tables_are_empty(path):
    with closing(sqlite3.connect(path)) as other:
        return [other.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("skin_people", "skin_looks")] == [0, 0]


def test_a_database_from_before_the_face_record_gets_it_and_keeps_its_people(tmp_path, monkeypatch):
    path = tmp_path / "moodify.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:3])
        prepare(path)
        with AccountTransactions(path) as transactions:
            for user in (ADA, BO):
                TableAccounts(transactions).add(a_user(user), "hash")
    assert prepare(path) is None
    with SkinTables(path) as tables, AccountTransactions(path) as transactions:
        tables.allow(ADA, NOON)
        tables.keep(ADA, NOON, RECORD)
        TableAccounts(transactions).remove(ADA)
    assert tables_are_empty(path)
