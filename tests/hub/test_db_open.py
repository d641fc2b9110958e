"""Opening: what is made, what is brought up to date, and what is refused. On SQLite and on PostgreSQL."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import alembic.op
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, make_url, text

from moodify.errors import PersonMustAct, StoreError
from moodify.hub.cache import open_states
from moodify.hub.database import open_database
from moodify.hub.database.engine import Transactions
from moodify.hub.database.models import Base
from moodify.hub.database.schema import NEWEST, VERSION_TABLE, steps
from summaries import NOW, enrolled, summary


def run(target, *statements):
    """Run statements as somebody else would."""
    transactions = Transactions(target)
    with transactions.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))
    transactions.close()


def tables(target):
    transactions = Transactions(target)
    with transactions.reading() as connection:
        found = inspect(connection).get_table_names()
    transactions.close()
    return sorted(found)


def test_a_file_and_its_folder_are_made_for_their_owner_alone(tmp_path):
    with open_database(tmp_path / "hub" / "hub.db") as database:
        enrolled(database)
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "hub").iterdir()}
    assert modes == {"hub.db": 0o600, "hub.db-wal": 0o600, "hub.db-shm": 0o600}
    assert (tmp_path / "hub").stat().st_mode & 0o777 == 0o700


def test_sqlite_is_durable_and_keeps_its_foreign_keys(tmp_path):
    with open_database(tmp_path / "hub.db") as database, database._transactions.reading() as connection:
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.servers
def test_postgresql_is_durable_whatever_its_default_is(postgresql):
    target = postgresql.new_database()
    run(target, f"ALTER DATABASE {make_url(target).database} SET synchronous_commit = off")
    with open_database(target) as database, database._transactions.reading() as connection:
        assert [connection.scalar(text(f"SHOW {name}")) for name in ("synchronous_commit", "timezone", "lock_timeout")] == ["on", "UTC", "10s"]


@pytest.mark.parametrize("name", ["a?b.db", "100%20 sure #1.db", "d'été\"é.db", "a&b=c.db"])
def test_a_file_may_have_any_name(tmp_path, name):
    with open_database(tmp_path / name) as database:
        enrolled(database)
    assert (tmp_path / name).stat().st_size
    with open_database(tmp_path / name) as database:
        assert len(database.registry.devices()) == 1


def test_a_url_names_a_file_too(tmp_path):
    with open_database(f"sqlite:///{tmp_path}/hub.db") as database:
        enrolled(database)
    with open_database(tmp_path / "hub.db") as database:
        assert len(database.registry.devices()) == 1


def test_what_was_kept_is_there_when_it_is_opened_again(database, database_target):
    device = enrolled(database)
    database.intake.commit([summary(device, 1)], NOW)
    database.close()
    with open_database(database_target) as again:
        again.check()
        assert [event.device for event in again.events.events()] == [device]


def test_the_steps_lead_to_what_the_models_say(database):
    with database._transactions.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_hubs_that_start_at_once_take_turns(database_target):
    ready = threading.Barrier(6)

    def start(_):
        ready.wait()
        with open_database(database_target) as database:
            return enrolled(database)

    with ThreadPoolExecutor(6) as threads:
        devices = list(threads.map(start, range(6)))
    with open_database(database_target) as database:
        assert {device.id for device in database.registry.devices()} == set(devices)


def test_a_step_that_breaks_off_leaves_nothing_half_done(database_target, monkeypatch):
    done = []

    def power_cut(name, *_, **__):
        done.append(name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(alembic.op, "create_index", power_cut)
        with pytest.raises(KeyboardInterrupt):
            open_database(database_target)
    assert done
    assert tables(database_target) == []
    with open_database(database_target) as database:
        enrolled(database)


def test_a_database_of_a_newer_moodify_is_refused_and_left_alone(database, database_target):
    database.close()
    run(database_target, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    before = tables(database_target)
    with pytest.raises(StoreError, match=rf"newer Moodify \(version 9999, this one knows up to {NEWEST}\)"):
        open_database(database_target)
    assert tables(database_target) == before


@pytest.mark.parametrize("others", ["CREATE TABLE songs (title TEXT)", "CREATE TABLE alembic_version (version_num TEXT)"])
def test_another_programs_database_is_refused_and_left_alone(database_target, others):
    run(database_target, others)
    before = tables(database_target)
    with pytest.raises(StoreError, match="belongs to another program"):
        open_database(database_target)
    assert tables(database_target) == before


def test_the_appliances_own_database_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "moodify.db")
    connection.execute("CREATE TABLE events (n INTEGER PRIMARY KEY)")
    connection.close()
    with pytest.raises(StoreError, match="belongs to another program"):
        open_database(tmp_path / "moodify.db")


def test_what_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / "note.txt").write_text("buy milk " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        open_database(tmp_path / "note.txt")
    assert (tmp_path / "note.txt").read_text() == "buy milk " * 100


@pytest.mark.parametrize("place", ["", "note.txt/hub.db"])
def test_where_no_file_can_be_the_folder_is_asked_for(tmp_path, place):
    (tmp_path / "note.txt").write_text("")
    with pytest.raises(StoreError, match="folder"):
        open_database(tmp_path / place)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.db",
        "mysql://me:secret@host/hub",
        "oracle:nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=memory",
        "postgresql+psycopg://me:secret@host",
        "postgresql+asyncpg://me:secret@host/hub",
    ],
)
def test_what_is_no_address_of_a_database_is_refused_with_the_form_of_one(url):
    with pytest.raises(StoreError) as caught:
        open_database(url)
    assert "postgresql+psycopg://USER@HOST/NAME" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_is_never_said(tmp_path):
    for url in ("postgresql+psycopg://me:secret@127.0.0.1:1/hub", "postgresql://me@127.0.0.1:1/hub?password=secret"):
        transactions = Transactions(url)
        with pytest.raises(Exception, match="postgresql") as caught, transactions.reading():
            pass
        assert "secret" not in str(caught.value)
        transactions.close()


def test_closing_twice_is_safe(database):
    database.close()
    database.close()


def test_steps_are_found_wherever_the_package_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_database(Path("hub.db")) as database:
        database.check()


def test_the_last_step_is_the_one_that_a_start_takes_for_the_newest():
    assert steps().get_current_head() == NEWEST


def test_a_hub_of_one_home_needs_neither_alembic_nor_the_drivers_of_other_servers(tmp_path):
    """What it does not import costs no memory, and need not be installed beside an appliance."""
    open_database(tmp_path / "hub.db").close()
    program = (
        "import sys; from pathlib import Path\n"
        "sys.modules['psycopg'] = sys.modules['redis'] = None\n"
        "import moodify.hub.serve; from moodify.hub.cache import open_states; from moodify.hub.database import open_database\n"
        "open_states(None, 60).close()\n"
        f"with open_database(Path({str(tmp_path / 'hub.db')!r})) as database: database.registry.devices()\n"
        "print('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "False\n"


def test_a_cache_whose_package_is_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "moodify.hub.cache_redis", raising=False)
    with pytest.raises(PersonMustAct, match="pip install 'redis"):
        open_states("redis://localhost:1/0", 60)
