"""Whether a database is the hub's, and how it gets its newest shape."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from moodify.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)

#: Says which step was taken last, and that the database is the hub's.
VERSION_TABLE = "moodify_hub_version"
#: Hubs that start at once take turns: PostgreSQL's advisory lock of this number ("moodify" in ASCII).
MIGRATION_LOCK = 0x6D6F6F64696679
#: The last step. A test holds it to what Alembic finds in the folder of steps, which it need not read at each start.
NEWEST = "0004"
#: Another hub's migration is waited for so long.
_WAIT_S = 300


def steps() -> ScriptDirectory:
    """Return what Alembic knows of the steps."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def is_current(connection: Connection, where: str) -> bool:
    """Return whether nothing is to be done.

    Raises:
        StoreError: it is of a newer Moodify, or another program's.
    """
    tables = inspect(connection).get_table_names()
    found = tuple(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}"))) if VERSION_TABLE in tables else ()  # noqa: S608 - a constant
    if found == (NEWEST,):
        # The usual case, without Alembic: 11 MB.
        return True
    known = {step.revision for step in steps().walk_revisions()}
    if not known.issuperset(found):
        raise StoreError(f"{where} was written by a newer Moodify (version {', '.join(found)}, this one knows up to {NEWEST}); install that again, or name a fresh database")
    if not found and tables:
        raise StoreError(f"{where} belongs to another program; name a database of the hub's own")
    return False


def bring_up_to_date(connection: Connection, where: str) -> None:
    """Take the steps that are missing, in the transaction that ``connection`` is in: on SQLite one that has the write lock.

    Raises:
        StoreError: it is of a newer Moodify, or another program's.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    if is_current(connection, where):
        return
    from alembic import command

    command.upgrade(_config(connection), "head")
    logger.info("the database %s is of version %s now", where, NEWEST)


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic reads % as the beginning of a name to put in.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
