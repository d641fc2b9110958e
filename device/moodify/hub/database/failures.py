"""What the errors of SQLAlchemy and its drivers mean here; none passes :func:`mapped`."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from moodify.errors import StoreBusy, StoreError
from moodify.sqlite import says_passing

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Classes and codes of SQLSTATE that pass by themselves: connection, rolled back to be tried again, resources, locks, an operator's stop, the
#: system's input and output (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_PASSING = ("08", "40", "53", "55P03", "57", "25P03", "25P04", "58")


@contextmanager
def mapped(where: str) -> Iterator[None]:
    """Turn errors at the database ``where`` (a file's name, or an address without its password) into the project's.

    Raises:
        StoreBusy: locked, full, or away.
        StoreError: anything else.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreBusy(f"{where}: all connections are in use; it is tried again") from error
    except exc.DBAPIError as error:
        raise _of(where, error.orig) from error
    except _of_drivers() as error:
        raise _of(where, error) from error
    except _of_libraries() as error:
        raise StoreError(f"{where}: {_line(error)}; update Moodify, or restore a backup into a fresh database") from error


def _of_drivers() -> tuple[type[Exception], ...]:
    # One that was never imported has raised nothing, and costs a hub without PostgreSQL 6 MB.
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error,) if psycopg is None else (sqlite3.Error, psycopg.Error)


def _of_libraries() -> tuple[type[Exception], ...]:
    alembic = sys.modules.get("alembic.util")
    return (exc.SQLAlchemyError,) if alembic is None else (exc.SQLAlchemyError, alembic.CommandError)


def _of(where: str, error: BaseException | None) -> StoreBusy | StoreError:
    if isinstance(error, sqlite3.Error):
        if says_passing(error):
            return StoreBusy(f"{where}: {_line(error)}; free disk space if it is short, it is tried again")
        return StoreError(f"{where}: {_line(error)}; check that the file and its folder belong to the user that runs the hub, or restore a backup")
    psycopg = sys.modules.get("psycopg")
    state = getattr(error, "sqlstate", None) or ""
    if psycopg is not None and isinstance(error, psycopg.OperationalError) and not state:
        # libpq gives no code for a connection that was not made or broke off.
        return StoreBusy(f"{where}: {_line(error)}; check that PostgreSQL runs and lets the hub in, it is tried again")
    if state.startswith(_PASSING):
        return StoreBusy(f"{where}: {_line(error)}; it is tried again")
    return StoreError(f"{where}: {_line(error)}; check the address, the database's rights, and that it is the hub's own")


def _line(error: BaseException | None) -> str:
    if isinstance(error, exc.StatementError) and error.orig is not None:
        return _line(error.orig)
    # Of PostgreSQL the first line alone: its details would show rows.
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(error if said is None else said).split())
