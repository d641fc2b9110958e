"""A real PostgreSQL and a real Redis of the tests' own, each in a folder of its own. What uses them is marked ``servers``."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from moodify.hub.database import open_database
from ports import free_port
from waiting import wait_until

#: PostgreSQL refuses to run as root.
POSTGRES_USER = "postgres"


@contextmanager
def _a_folder(owner):
    # Not pytest's own: only root may look into that, and a socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="moodify-") as name:
        folder = Path(name)
        folder.chmod(0o700)
        if owner is not None:
            shutil.chown(folder, owner, owner)
        yield folder


class Server:
    """A process of the tests' own, which can be killed and started again."""

    def __init__(self, command, *, answers, user=None):
        self._command = command
        self._answers = answers
        self._user = user
        self._process = None

    def start(self):
        as_user = {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **as_user)
        wait_until(self._listens, what=self._command[0])

    def _listens(self):
        assert self._process.poll() is None, f"{' '.join(map(str, self._command))} ended with {self._process.returncode}"
        return self._answers()

    def stop(self, number=signal.SIGINT):
        """End it; PostgreSQL cuts its connections on SIGINT and then ends in order."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None


class PostgreSQL(Server):
    """A cluster that listens on a unix socket only."""

    def __init__(self, folder, user, *, fsync):
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
        if programs is None:
            raise FileNotFoundError("PostgreSQL is not installed; scripts/test --all installs it")
        self.folder = folder
        data = folder / "data"
        as_user = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        options = {"pgdata": data, "username": POSTGRES_USER, "auth-local": "trust", "auth-host": "reject", "encoding": "UTF8", "locale": "C"}
        initdb = [programs / "initdb", "--no-sync", *(f"--{name}={value}" for name, value in options.items())]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user)
        options = {"listen_addresses": "", "unix_socket_directories": folder, "max_connections": 60, "fsync": "on" if fsync else "off"}
        super().__init__([programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())], answers=self._ready, user=user)

    def _ready(self):
        try:
            self.sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def sql(self, statement):
        """Run one statement as its owner; return the rows."""
        with psycopg.connect(host=str(self.folder), user=POSTGRES_USER, dbname="postgres", autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def drop_database(self, url):
        """Drop a database, whoever is in it."""
        self.sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def new_database(self):
        """Make an empty database; return its URL."""
        name = f"hub_{uuid.uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{POSTGRES_USER}@/{name}?host={self.folder}"


class Redis(Server):
    """A Redis on loopback that keeps nothing on the disk."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        options = {"bind": "127.0.0.1", "port": port, "save": "", "appendonly": "no", "dir": folder}
        super().__init__(["redis-server", *(part for name, value in options.items() for part in (f"--{name}", str(value)))], answers=self._ready)

    def empty(self):
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _ready(self):
        with redis.Redis.from_url(self.url) as client:
            try:
                return client.ping()
            except redis.ConnectionError:
                return False


@contextmanager
def running_postgresql(*, fsync=False):
    """Give a PostgreSQL; without ``fsync`` it survives its own death, not that of the machine."""
    user = POSTGRES_USER if os.geteuid() == 0 else None
    with _a_folder(user) as folder:
        server = PostgreSQL(folder, user, fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def running_redis():
    """Give a Redis."""
    with _a_folder(None) as folder:
        server = Redis(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGTERM)


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL that runs; :meth:`PostgreSQL.new_database` gives each test one of its own."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server():
    """A Redis that runs."""
    with running_redis() as server:
        yield server


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.servers)])
def database_target(request, tmp_path):
    """What :func:`open_database` takes, of an empty database of either kind."""
    if request.param == "SQLite":
        yield tmp_path / "hub.db"
    else:
        postgresql = request.getfixturevalue("postgresql")
        url = postgresql.new_database()
        yield url
        postgresql.drop_database(url)


@pytest.fixture
def database(database_target):
    """An open database of a hub, of either kind."""
    with open_database(database_target) as database:
        yield database
