"""The shape of the database, as numbered steps; ``PRAGMA user_version`` holds the number of the last one taken."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from moodify import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database


def _first(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE events (
            n INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            at TEXT NOT NULL,
            data TEXT NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX events_at ON events (at)")
    # AUTOINCREMENT: a number is never given twice, even after the newest message was sent and forgotten.
    db.execute("CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, items TEXT NOT NULL, refused TEXT)")
    db.execute("CREATE INDEX outbox_waiting ON outbox (seq) WHERE refused IS NULL")
    db.execute("CREATE TABLE outbox_state (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, lost INTEGER NOT NULL DEFAULT 0)")
    db.execute("INSERT INTO outbox_state (one, epoch) VALUES (1, ?)", [str(uuid4())])
    db.execute("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


def _bounded_outbox(db: Database) -> None:
    # 0 as it happened, else a Span of summaries. The indexes answer by themselves: a column behind long items is slow to reach.
    db.execute("ALTER TABLE outbox ADD COLUMN level INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX outbox_levels ON outbox (level, seq) WHERE refused IS NULL")
    db.execute("CREATE INDEX outbox_refused ON outbox (seq) WHERE refused IS NOT NULL")
    db.execute("ALTER TABLE outbox_state ADD COLUMN merged INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE outbox_state ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0")
    # Kept by the database itself, for two connections change the outbox. 64 bytes for a row and its places in the indexes.
    db.execute("UPDATE outbox_state SET bytes = (SELECT coalesce(sum(length(CAST(items AS BLOB)) + 64), 0) FROM outbox)")
    db.execute("CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN UPDATE outbox_state SET bytes = bytes + length(CAST(NEW.items AS BLOB)) + 64; END")
    db.execute("CREATE TRIGGER outbox_shrinks AFTER DELETE ON outbox BEGIN UPDATE outbox_state SET bytes = bytes - length(CAST(OLD.items AS BLOB)) - 64; END")


def _accounts(db: Database) -> None:
    # What moodify.accounts.tables reads and writes.
    db.execute(
        """
        CREATE TABLE users (
            id TEXT PRIMARY KEY,
            email TEXT NOT NULL UNIQUE,
            first_name TEXT NOT NULL,
            last_name TEXT NOT NULL,
            role TEXT NOT NULL,
            active INTEGER NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL,
            preferences TEXT NOT NULL,
            age INTEGER,
            skin_type INTEGER,
            last_sign_in TEXT,
            password_hash TEXT NOT NULL,
            failures INTEGER NOT NULL,
            last_failure TEXT
        ) WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users (id),
            label TEXT NOT NULL,
            began TEXT NOT NULL,
            used TEXT NOT NULL,
            ends TEXT NOT NULL,
            token_hash TEXT NOT NULL
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX sessions_user ON sessions (user_id)")
    db.execute(
        """
        CREATE TABLE codes (
            id TEXT PRIMARY KEY,
            purpose TEXT NOT NULL,
            role TEXT NOT NULL,
            first_name TEXT NOT NULL,
            made_by TEXT REFERENCES users (id),
            began TEXT NOT NULL,
            used TEXT NOT NULL,
            ends TEXT NOT NULL,
            hash TEXT NOT NULL
        ) WITHOUT ROWID
        """
    )


def _skin(db: Database) -> None:
    # What moodify.store.skin reads and writes. The database itself sees to it that nothing stays of somebody who goes, in the transaction that takes
    # them away, whoever does that, and that there are no looks of somebody who allows none.
    db.execute(
        """
        CREATE TABLE skin_people (
            user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
            opted_in_at TEXT NOT NULL,
            shared INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """
    )
    db.execute(
        """
        CREATE TABLE skin_looks (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES skin_people (user_id) ON DELETE CASCADE,
            looked_at TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX skin_looks_user ON skin_looks (user_id, looked_at)")


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first, _bounded_outbox, _accounts, _skin)

#: The version that this program reads and writes.
NEWEST = len(MIGRATIONS)


def migrate(db: Database) -> None:
    """Take the steps that are missing."""
    sqlite.migrate(db, MIGRATIONS)
