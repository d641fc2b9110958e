"""Connections to SQLite and PostgreSQL: how durable they are, how long they wait, and what one transaction is."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, create_engine, event, exc, make_url

from moodify.errors import StoreBusy, StoreError
from moodify.hub.database.failures import mapped
from moodify.sqlite import BUSY_TIMEOUT_S, WAL_LIMIT, says_passing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

#: Connections that are kept, and how many more there may be at a time: collector, dispatcher, gate, and the API's threads.
_KEPT, _MORE = 5, 15
#: Longest wait for a connection, or for another's lock, in seconds.
_WAIT_S = 10
#: PostgreSQL gives up on a connection whose hub is gone after so many seconds, and so do we on a PostgreSQL that is.
_GONE_S = 30
#: Option of a connection whose transaction may write.
_WRITES = "moodify_writes"

_FORM = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
_LIBPQ = {"connect_timeout": 10, "application_name": "moodify-hub", "tcp_user_timeout": _GONE_S * 1000, "keepalives_idle": _GONE_S}


class Transactions:
    """Gives transactions of one database to any number of threads."""

    def __init__(self, target: str | Path) -> None:
        """Take a file, or ``sqlite:///FILE``, ``postgresql+psycopg://USER@HOST/NAME``.

        Raises:
            StoreBusy: it is locked or away.
            StoreError: it is no address of a database, or the file can't be used.
        """
        url = _url(target)
        self.where = str(url.database) if _is_sqlite(url) else _shown(url)
        """Names the database to a person."""
        with mapped(self.where):
            if _is_sqlite(url):
                _make_private(Path(self.where))
                _switch_to_wal(Path(self.where))
                self._engine = _sqlite(url)
            else:
                self._engine = _postgresql(url)
        self._is_sqlite = _is_sqlite(url)
        self._writer = threading.Lock()

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Give a connection that only reads; with ``snapshot`` it sees one state of the database for as long as it lasts.

        Raises:
            StoreBusy: locked or away.
            StoreError: the database can't be used.
        """
        with mapped(self.where), self._engine.connect() as connection:
            if snapshot and not self._is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose transaction is committed at the end of the block, or rolled back where it raises. One at a time on SQLite.

        Raises:
            StoreBusy: locked, full or away; unless that came at the very end, nothing was written.
            StoreError: the database can't be used.
        """
        # SQLite lets waiting processes guess when it is their turn; threads of one process can do better.
        if self._is_sqlite and not self._writer.acquire(timeout=_WAIT_S):
            raise StoreBusy(f"{self.where}: another thread has been writing for {_WAIT_S} s; it is tried again")
        try:
            with mapped(self.where), self._engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
                yield connection
        finally:
            if self._is_sqlite:
                self._writer.release()

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        with mapped(self.where):
            self._engine.dispose()


def _url(target: str | Path) -> URL:
    if isinstance(target, Path):
        return URL.create("sqlite", database=str(target))
    try:
        url = make_url(target)
    except exc.ArgumentError as error:
        # It may hold a password in whatever form it is: it is not repeated.
        raise StoreError(f"this is no address of a database; write {_FORM}") from error
    if _is_sqlite(url) and url.database not in {None, "", ":memory:"} and not url.query:
        return url.set(drivername="sqlite")
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"} and url.database:
        return url.set(drivername="postgresql+psycopg")
    raise StoreError(f"{_shown(url)} is no database that a hub can use; write {_FORM}")


def _shown(url: URL) -> str:
    # A password may stand among the options too.
    return url.set(query={}).render_as_string(hide_password=True)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _postgresql(url: URL) -> Engine:
    settings = {
        "timezone": "UTC",
        # What is acknowledged has to be on the disk, whatever the server's default is.
        "synchronous_commit": "on",
        "lock_timeout": f"{round(_WAIT_S * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{_GONE_S}s",
        "tcp_keepalives_idle": f"{_GONE_S}s",
    }
    engine = create_engine(
        url,
        pool_size=_KEPT,
        max_overflow=_MORE,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        # What the address says itself goes before.
        connect_args={name: value for name, value in _LIBPQ.items() if name not in url.query},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.autocommit = True
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        connection.autocommit = False

    return engine


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, pool_size=_KEPT, max_overflow=_MORE, pool_timeout=_WAIT_S, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # Python's own transactions begin late and without the write lock.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")

    return engine


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One that is there must not be opened by the way: closing it would give up the locks that another connection of this process holds.
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; give the user that runs the hub a writable folder, or set database_url") from error


def _switch_to_wal(path: Path) -> None:
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # Where two start at once, SQLite answers "locked" here without waiting.
                if not says_passing(error) or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.02)
            else:
                return
    finally:
        connection.close()
