"""A copy of everything in one file, which either database can be filled from.

A zip with ``<table>.jsonl`` for each table, a row a line, and ``backup.json``: program, format, version of the shape, number of rows.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from sqlalchemy import exc, func, insert, select, text, update

from moodify.errors import StoreBusy, StoreError
from moodify.files import private_file
from moodify.hub.database.models import Base, HubRow, Moment
from moodify.hub.database.schema import NEWEST, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from moodify.hub.database.engine import Transactions

_PROGRAM, _FORMAT, _NOTE = "moodify-hub", 1, "backup.json"
#: Rows that are read and written at a time, or, where they are large, bytes of them.
_ROWS = 1000
_BYTES = 8 * 1024 * 1024
#: A row of more bytes is none: an event has 256 kB at most, which may be twice as many where they are escaped.
_ROW_AT_MOST = 1024 * 1024
#: A note of more bytes is none.
_NOTE_AT_MOST = 64 * 1024
_LINE = json.JSONEncoder(separators=(",", ":"), default=datetime.isoformat)


def dump(transactions: Transactions, file: Path) -> int:
    """Write a backup, private, whole or not at all; return how many rows. The hub may go on meanwhile: what is written is one moment's state.

    Raises:
        StoreBusy: the database or the disk can't be used now.
        StoreError: the database or the folder can't be used.
    """
    with _whole(file) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive, transactions.reading(snapshot=True) as connection:
        rows = {table.name: _dump(connection, table, archive) for table in Base.metadata.sorted_tables}
        archive.writestr(_NOTE, json.dumps({"program": _PROGRAM, "format": _FORMAT, "version": NEWEST, "rows": rows}))
    return sum(rows.values())


def load(transactions: Transactions, file: Path) -> int:
    """Fill an empty database from a backup, all of it or nothing; return how many rows.

    Raises:
        StoreBusy: the database can't be used now.
        StoreError: the database is not empty, or the file is no whole backup that this version can read.
    """
    try:
        with zipfile.ZipFile(file) as archive, transactions.writing() as connection:
            expected = _expected(file, archive)
            for table in Base.metadata.sorted_tables:
                if table.name != HubRow.__tablename__ and connection.execute(select(table).limit(1)).first() is not None:
                    raise StoreError(f"{transactions.where} is not empty; restore into a fresh database")
            # A backup of an older hub has no rows of tables that came later.
            return sum(_load(connection, table, archive, expected[table.name]) for table in Base.metadata.sorted_tables if table.name in expected)
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror or error}; name a backup that moodify hub backup wrote") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file} is no whole backup of a hub; take another") from error


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with private_file(file) as out:
            yield out
    except OSError as error:
        raise StoreBusy(f"{file}: {error.strerror or error}; free disk space, or name a folder that can be written") from error


def _dump(connection: Connection, table: Table, archive: zipfile.ZipFile) -> int:
    count = 0
    names = [column.name for column in table.columns]
    with archive.open(_entry(table), "w", force_zip64=True) as out:
        for row in connection.execution_options(yield_per=_ROWS).execute(select(table).order_by(*table.primary_key)):
            out.write(_LINE.encode(dict(zip(names, row, strict=True))).encode() + b"\n")
            count += 1
    return count


def _expected(file: Path, archive: zipfile.ZipFile) -> dict[str, int]:
    with archive.open(_NOTE) as packed:
        note = json.loads(packed.read(_NOTE_AT_MOST))
    if note["program"] != _PROGRAM:
        raise StoreError(f"{file} is another program's; name a backup that moodify hub backup wrote")
    if note["format"] != _FORMAT or note["version"] not in {step.revision for step in steps().walk_revisions()}:
        raise StoreError(f"{file} was written by a newer Moodify (format {note['format']}, version {note['version']}); install that to restore it")
    if note["version"] == NEWEST and note["rows"].keys() != Base.metadata.tables.keys():
        raise ValueError(f"no rows of {', '.join(sorted(Base.metadata.tables.keys() ^ note['rows'].keys()))}")
    return dict(note["rows"])


def _load(connection: Connection, table: Table, archive: zipfile.ZipFile, expected: int) -> int:
    count = 0
    with archive.open(_entry(table)) as lines:
        for chunk in _chunks(table, lines):
            if table.name == HubRow.__tablename__:
                # Whoever watches the number must see that everything is different now.
                connection.execute(update(HubRow).values(revision=HubRow.revision + chunk[0]["revision"] + 1))
            else:
                _insert(connection, table, chunk)
            count += len(chunk)
    if count != expected:
        raise ValueError(f"{count} rows of {table.name}, not {expected}")
    if connection.dialect.name == "postgresql" and "n" in table.columns:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "n"), select(func.coalesce(func.max(table.c.n), 0) + 1).scalar_subquery(), text("false"))))
    return count


def _chunks(table: Table, lines: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    while line := lines.readline(_ROW_AT_MOST + 1):
        if len(line) > _ROW_AT_MOST:
            raise ValueError(f"a row of {table.name} is too large")
        rows.append(_row(table, json.loads(line)))
        size += len(line)
        if len(rows) == _ROWS or size >= _BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        connection.execute(insert(table), rows)
    except exc.OperationalError:
        raise
    except exc.SQLAlchemyError as error:
        raise ValueError(f"rows that do not fit {table.name}") from error


def _row(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    # A column that came later has a default.
    return {name: datetime.fromisoformat(value) if value is not None and isinstance(table.columns[name].type, Moment) else value for name, value in values.items()}


def _entry(table: Table) -> str:
    return f"{table.name}.jsonl"
