"""Takes a CSV file into the catalogue: the whole file, or nothing of it.

A file is first read into a table of the connection's own, beside the catalogue: what is wrong in it is found before anything
changes, memory stays small, and the appliance is kept from its catalogue for the moment of the transaction only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moodify.music.catalogue.catalogue import bound
from moodify.music.catalogue.exportify import Left, Reader
from moodify.music.catalogue.songs import IMPORTED
from moodify.sqlite import transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlite_utils import Database

    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.exportify import Row

#: Rows left that are named one by one; beyond it they are counted.
NAMED = 20

#: Where features that stood in a file come from.
CSV = "csv"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows."""

    file: str
    rows: int
    taken: int
    """Songs that are in the catalogue now; each counted once."""
    new: int
    """Of those, songs that the catalogue did not know."""
    with_features: int
    """Of those taken, songs with energy and valence."""
    has_features: bool
    """Whether the file is the variant with features."""
    beyond: int
    """Songs that the catalogue had to let go, because it is full."""
    left: tuple[Left, ...] = ()
    """The first rows that were left, each with its line and the reason."""
    left_by_reason: dict[str, int] = field(default_factory=dict)
    """All rows that were left."""

    def as_json(self) -> dict[str, Any]:
        """Return it as ``moodify music import --json`` prints it."""
        return {
            "file": self.file,
            "rows": self.rows,
            "taken": self.taken,
            "new": self.new,
            "with_features": self.with_features,
            "has_features": self.has_features,
            "beyond": self.beyond,
            "left": {"count": sum(self.left_by_reason.values()), "by_reason": self.left_by_reason, "first": [{"line": row.line, "why": row.why} for row in self.left]},
        }


def import_file(catalogue: Catalogue, path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> ImportReport:
    """Take a CSV file of Exportify's into the catalogue, in one transaction.

    Args:
        catalogue: It may be in use by the appliance meanwhile.
        path: The file, in either variant.
        progress: Told how many bytes were read.

    Raises:
        FileError: the file is no such file; nothing was changed.
        StoreBusy: locked or the disk is full; nothing was changed.
        StoreError: the catalogue can't be used.
    """
    reader = Reader(path, progress)
    left: list[Left] = []
    reasons: Counter[str] = Counter()
    rows = 0
    with catalogue.connection() as db:
        _make_table(db)
        try:
            db.execute("BEGIN")
            for row in reader.rows():
                rows += 1
                said = row if isinstance(row, Left) else _stage(db, row)
                if said is not None:
                    reasons["the same song came before" if not isinstance(row, Left) else said.why] += 1
                    if len(left) < NAMED:
                        left.append(said)
            db.execute("COMMIT")
            taken, new, with_features, beyond = _put_in_place(db, catalogue)
        finally:
            if db.conn.in_transaction:
                db.execute("ROLLBACK")
            db.execute("DROP TABLE IF EXISTS temp.staged")
    return ImportReport(str(path), rows, taken, new, with_features, reader.has_features, beyond, tuple(left), dict(reasons))


def _make_table(db: Database) -> None:
    db.execute("DROP TABLE IF EXISTS temp.staged")
    db.execute(
        """
        CREATE TEMP TABLE staged (
            line INTEGER PRIMARY KEY, uri TEXT NOT NULL UNIQUE, title TEXT, artist TEXT, album TEXT, duration_ms INTEGER, explicit INTEGER,
            energy REAL, valence REAL, tempo_bpm REAL, danceability REAL, acousticness REAL
        )
        """
    )


def _stage(db: Database, row: Row) -> Left | None:
    """Put a row aside; return why it is left where its song came before."""
    song, track, features = row.song, row.song.track, row.song.features
    sound = (None,) * 5 if features is None else (features.energy, features.valence, features.tempo_bpm, features.danceability, features.acousticness)
    values = [row.line, track.uri, track.title, track.artist, song.album, track.duration_ms, track.explicit, *sound]
    if db.execute(f"INSERT OR IGNORE INTO temp.staged VALUES ({','.join('?' * len(values))})", values).rowcount:  # noqa: S608 - question marks
        return None
    before = db.execute("SELECT line FROM temp.staged WHERE uri = ?", [track.uri]).fetchone()[0]
    return Left(row.line, f"the same song as in line {before}")


def _put_in_place(db: Database, catalogue: Catalogue) -> tuple[int, int, int, int]:
    now = catalogue.now()
    with transaction(db):
        taken, with_features = db.execute("SELECT count(*), count(energy + valence) FROM temp.staged").fetchone()
        new = db.execute("SELECT count(*) FROM temp.staged WHERE uri NOT IN (SELECT uri FROM main.songs)").fetchone()[0]
        db.execute(
            """
            INSERT INTO main.songs (uri, title, artist, album, duration_ms, explicit, used)
            SELECT uri, title, artist, album, duration_ms, explicit, ? FROM temp.staged WHERE true ORDER BY line
            ON CONFLICT (uri) DO UPDATE SET title = excluded.title, artist = excluded.artist, duration_ms = excluded.duration_ms,
                album = coalesce(excluded.album, album), explicit = coalesce(excluded.explicit, explicit)
            """,
            [now],
        )
        db.execute(
            """
            INSERT INTO main.origins (origin, song, place, at)
            SELECT ?, s.id, t.line, ? FROM temp.staged t JOIN main.songs s USING (uri) WHERE true
            ON CONFLICT (origin, song) DO UPDATE SET place = excluded.place, at = excluded.at
            """,
            [IMPORTED, now],
        )
        # The owner's file says more of the owner's songs than anybody who was asked.
        db.execute(
            """
            INSERT OR REPLACE INTO main.features (uri, energy, valence, tempo_bpm, danceability, acousticness, origin, at)
            SELECT uri, energy, valence, tempo_bpm, danceability, acousticness, ?, ? FROM temp.staged WHERE energy + valence IS NOT NULL
            """,
            [CSV, now],
        )
        beyond = bound(db, catalogue.most)
    return int(taken), int(new), int(with_features), beyond
