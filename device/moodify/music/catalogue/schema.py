"""The shape of the catalogue, as numbered steps; ``PRAGMA user_version`` holds the number of the last one taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database


def _first(db: Database) -> None:
    # Dates are whole seconds since 1970.
    db.execute(
        """
        CREATE TABLE songs (
            id INTEGER PRIMARY KEY,
            uri TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            artist TEXT NOT NULL,
            album TEXT,
            duration_ms INTEGER NOT NULL,
            explicit INTEGER,
            used INTEGER NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX songs_used ON songs (used)")
    db.execute(
        """
        CREATE TABLE origins (
            origin TEXT NOT NULL,
            song INTEGER NOT NULL REFERENCES songs (id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (origin, song)
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX origins_song ON origins (song)")
    db.execute("CREATE TABLE lookups (origin TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID")
    db.execute("CREATE TABLE problems (origin TEXT PRIMARY KEY, message TEXT NOT NULL) WITHOUT ROWID")
    # Apart from the songs: features outlast a song's leaving a list. No energy and valence: not known where they were asked for.
    db.execute(
        """
        CREATE TABLE features (
            uri TEXT PRIMARY KEY,
            energy REAL,
            valence REAL,
            tempo_bpm REAL,
            danceability REAL,
            acousticness REAL,
            origin TEXT NOT NULL,
            at INTEGER NOT NULL
        ) WITHOUT ROWID
        """
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first,)

#: The version that this program reads and writes.
NEWEST = len(MIGRATIONS)


def migrate(db: Database) -> None:
    """Take the steps that are missing."""
    sqlite.migrate(db, MIGRATIONS)
