"""The hub's database: SQLite, or PostgreSQL that several hubs share. Open it with :func:`open_database`."""

from moodify.hub.database.database import Database, open_database

__all__ = ["Database", "open_database"]
