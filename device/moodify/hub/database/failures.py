"""What the errors of SQLAlchemy and its drivers mean here; none passes :func:`mapped`."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from alembic.util import CommandError
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
    except (sqlite3.Error, psycopg.Error) as error:
        raise _of(where, error) from error
    except (exc.SQLAlchemyError, CommandError) as error:
        raise StoreError(f"{where}: {_line(error)}; update Moodify, or restore a backup into a fresh database") from error


def _of(where: str, error: BaseException | None) -> StoreBusy | StoreError:
    match error:
        case sqlite3.Error() if says_passing(error):
            return StoreBusy(f"{where}: {_line(error)}; free disk space if it is short, it is tried again")
        case sqlite3.Error():
            return StoreError(f"{where}: {_line(error)}; check that the file and its folder belong to the user that runs the hub, or restore a backup")
        case psycopg.OperationalError(sqlstate=None):
            # libpq gives no code for a connection that was not made or broke off.
            return StoreBusy(f"{where}: {_line(error)}; check that PostgreSQL runs and lets the hub in, it is tried again")
        case psycopg.Error(sqlstate=str(state)) if state.startswith(_PASSING):
            return StoreBusy(f"{where}: {_line(error)}; it is tried again")
        case _:
            return StoreError(f"{where}: {_line(error)}; check the address, the database's rights, and that it is the hub's own")


def _line(error: BaseException | None) -> str:
    match error:
        case psycopg.Error(diag=psycopg.errors.Diagnostic(message_primary=str(said))):
            # Its details would show rows.
            return said
        case exc.StatementError(orig=BaseException() as reason):
            return _line(reason)
        case _:
            return " ".join(str(error).split())
