"""The songs that are known on the device: where each came from and when, what is known of its sound, when it was last chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodify.music.catalogue.file import CatalogueFile
from moodify.music.catalogue.songs import IMPORTED, SEARCH, KnownSong, Song
from moodify.music.song import Features
from moodify.sqlite import transaction
from moodify.types import Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlite_utils import Database

#: What Spotify said is kept for so long after it was last asked for, and then forgotten: its terms allow to keep what is needed.
FORGET_AFTER = timedelta(days=30)
#: Where a song's features are not known, they are asked for again after so long; what is known does not change.
ASK_AGAIN_AFTER = timedelta(days=30)
#: A song's last use is noted to the day: a finer note would be a write for each look-up.
USED_TO_THE = timedelta(days=1)
#: SQLite takes 999 values in a statement before 3.32; larger lists come in pieces.
_PIECE = 500

_COLUMNS = "s.id, s.uri, s.title, s.artist, s.album, s.duration_ms, s.explicit, f.energy, f.valence, f.tempo_bpm, f.danceability, f.acousticness"


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one source answered when it was last asked."""

    at: datetime
    tracks: tuple[Track, ...]
    """In the order in which they were given."""


class Catalogue(CatalogueFile):
    """Songs, their origins and their features, in one file. For one thread at a time.

    All methods raise StoreBusy (locked, disk full; or it was damaged, and the next call meets a fresh file) and StoreError
    (written by a newer Moodify, not writable).
    """

    # -- what the sources answered

    def lookup(self, origin: str) -> Lookup | None:
        """Return what an origin last answered; None where it never did."""
        with self.connection() as db:
            row = db.execute("SELECT at FROM lookups WHERE origin = ?", [origin]).fetchone()
            if row is None:
                return None
            rows = db.execute("SELECT uri, title, artist, duration_ms, explicit FROM origins JOIN songs ON id = song WHERE origin = ? ORDER BY place", [origin]).fetchall()
        return Lookup(datetime.fromtimestamp(row[0], UTC), tuple(_track(*song) for song in rows))

    def keep(self, origin: str, tracks: Sequence[Track]) -> None:
        """Put what an origin answers now in the place of what it answered before."""
        now = self.now()
        with self.connection() as db, transaction(db):
            before = [row[0] for row in db.execute("SELECT song FROM origins WHERE origin = ?", [origin])]
            db.execute("DELETE FROM origins WHERE origin = ?", [origin])
            for place, track in enumerate(tracks):
                db.execute(
                    """
                    INSERT INTO songs (uri, title, artist, duration_ms, explicit, used) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (uri) DO UPDATE SET title = excluded.title, artist = excluded.artist, duration_ms = excluded.duration_ms,
                        explicit = coalesce(excluded.explicit, explicit)
                    """,
                    [track.uri, track.title, track.artist, track.duration_ms, track.explicit, now],
                )
                db.execute("INSERT OR IGNORE INTO origins SELECT ?, id, ?, ? FROM songs WHERE uri = ?", [origin, place, now, track.uri])
            db.execute("INSERT INTO lookups VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET at = excluded.at", [origin, now])
            db.execute("DELETE FROM problems WHERE origin = ?", [origin])
            for piece in _pieces(before):
                db.execute(f"DELETE FROM songs WHERE id IN ({_marks(piece)}) AND id NOT IN (SELECT song FROM origins)", piece)  # noqa: S608 - question marks
            bound(db, self._most)

    def problems(self) -> dict[str, str]:
        """Return what a person must do about an origin, by origin."""
        with self.connection() as db:
            return dict(db.execute("SELECT origin, message FROM problems ORDER BY origin").fetchall())

    def note_problem(self, origin: str, message: str) -> None:
        """Take note of what a person must do about an origin; its next answer ends it."""
        with self.connection() as db, transaction(db):
            db.execute("INSERT INTO problems VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET message = excluded.message", [origin, message])

    # -- what is known of their sound

    def features_of(self, uris: Iterable[str]) -> dict[str, Features]:
        """Return the features that are known, by URI."""
        found: dict[str, Features] = {}
        with self.connection() as db:
            for piece in _pieces(list(uris)):
                rows = db.execute(
                    f"SELECT uri, energy, valence, tempo_bpm, danceability, acousticness FROM features WHERE energy IS NOT NULL AND uri IN ({_marks(piece)})",  # noqa: S608 - question marks
                    piece,
                )
                found.update((uri, Features(*values)) for uri, *values in rows)
        return found

    def unasked(self, origins: Sequence[str], limit: int) -> list[str]:
        """Return URIs of songs whose features are not known and may be asked for, in the order of the origins and of their answers."""
        again = self.now() - int(ASK_AGAIN_AFTER.total_seconds())
        found: dict[str, None] = {}
        with self.connection() as db:
            for origin in origins:
                rows = db.execute(
                    """
                    SELECT s.uri FROM origins o JOIN songs s ON s.id = o.song LEFT JOIN features f ON f.uri = s.uri
                    WHERE o.origin = ? AND (f.uri IS NULL OR (f.energy IS NULL AND f.at < ?)) ORDER BY o.place LIMIT ?
                    """,
                    [origin, again, limit],
                )
                found.update((row[0], None) for row in rows)
        return list(found)[:limit]

    def keep_features(self, features: Mapping[str, Features | None], origin: str) -> None:
        """Keep what ``origin`` knows of songs, by URI; None: it does not know them. What is known already stays."""
        now = self.now()
        with self.connection() as db, transaction(db):
            for uri, known in features.items():
                values = (None,) * 5 if known is None else (known.energy, known.valence, known.tempo_bpm, known.danceability, known.acousticness)
                db.execute(
                    """
                    INSERT INTO features VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (uri) DO UPDATE SET energy = excluded.energy, valence = excluded.valence, tempo_bpm = excluded.tempo_bpm,
                        danceability = excluded.danceability, acousticness = excluded.acousticness, origin = excluded.origin, at = excluded.at
                    WHERE energy IS NULL
                    """,
                    [uri, *values, origin, now],
                )

    def sounds(self) -> Iterator[tuple[float, float]]:
        """Give energy and valence of every song of the household's own: what a search alone has found is not."""
        with self.connection() as db:
            yield from db.execute(
                """
                SELECT f.energy, f.valence FROM songs s JOIN features f ON f.uri = s.uri
                WHERE f.energy IS NOT NULL AND EXISTS (SELECT 1 FROM origins o WHERE o.song = s.id AND o.origin NOT LIKE ? || '%')
                """,
                [SEARCH],
            )

    # -- choosing

    def judged(self, origins: Sequence[str]) -> Iterator[tuple[int, float, float]]:
        """Give the number, energy and valence of every song of some origins that has features, each once."""
        with self.connection() as db:
            yield from db.execute(
                f"""
                SELECT s.id, f.energy, f.valence FROM songs s JOIN features f ON f.uri = s.uri
                WHERE f.energy IS NOT NULL AND EXISTS (SELECT 1 FROM origins o WHERE o.song = s.id AND o.origin IN ({_marks(origins)}))
                """,  # noqa: S608 - question marks
                list(origins),
            )

    def songs(self, numbers: Sequence[int]) -> dict[int, KnownSong]:
        """Return songs by their numbers; without those that a command has taken away meanwhile."""
        found: dict[int, KnownSong] = {}
        with self.connection() as db:
            for piece in _pieces(list(numbers)):
                origins: dict[int, set[str]] = {}
                for song, origin in db.execute(f"SELECT song, origin FROM origins WHERE song IN ({_marks(piece)})", piece):  # noqa: S608 - question marks
                    origins.setdefault(song, set()).add(origin)
                for row in db.execute(f"SELECT {_COLUMNS} FROM songs s LEFT JOIN features f ON f.uri = s.uri WHERE s.id IN ({_marks(piece)})", piece):  # noqa: S608 - question marks
                    found[row[0]] = KnownSong(_song(row), frozenset(origins.get(row[0], ())))
        return found

    def every_song(self) -> Iterator[KnownSong]:
        """Give all songs, the oldest first."""
        with self.connection() as db:
            numbers = [row[0] for row in db.execute("SELECT id FROM songs ORDER BY id")]
        for piece in _pieces(numbers):
            known = self.songs(piece)
            yield from (known[number] for number in piece if number in known)

    def chosen(self, uris: Iterable[str]) -> None:
        """Take note that songs are candidates now; the longest unused go first."""
        now = self.now()
        day = now - int(USED_TO_THE.total_seconds())
        with self.connection() as db:
            stale = [uri for piece in _pieces(list(uris)) for (uri,) in db.execute(f"SELECT uri FROM songs WHERE used < {day} AND uri IN ({_marks(piece)})", piece)]  # noqa: S608 - a number and question marks
            if stale:
                with transaction(db):
                    for uri in stale:
                        db.execute("UPDATE songs SET used = ? WHERE uri = ?", [now, uri])

    # -- housekeeping

    def count(self) -> tuple[int, int]:
        """Return how many songs there are, and how many of them have features."""
        with self.connection() as db:
            total, judged = db.execute("SELECT count(*), count(f.energy) FROM songs s LEFT JOIN features f ON f.uri = s.uri").fetchone()
        return int(total), int(judged)

    def count_by_origin(self) -> dict[str, tuple[int, int]]:
        """Return for each origin how many songs came from it, and how many of them have features."""
        with self.connection() as db:
            rows = db.execute(
                """
                SELECT o.origin, count(*), count(f.energy) FROM origins o JOIN songs s ON s.id = o.song LEFT JOIN features f ON f.uri = s.uri
                GROUP BY o.origin ORDER BY o.origin
                """
            ).fetchall()
        return {origin: (total, judged) for origin, total, judged in rows}

    def forget_account(self) -> None:
        """Forget all that the service said of an account, for one that signs out or another that signs in. Imports and features stay."""
        with self.connection() as db, transaction(db):
            db.execute("DELETE FROM origins WHERE origin <> ?", [IMPORTED])
            db.execute("DELETE FROM lookups")
            db.execute("DELETE FROM problems")
            db.execute("DELETE FROM songs WHERE id NOT IN (SELECT song FROM origins)")

    def forget_old(self) -> None:
        """Forget what Spotify said :data:`FORGET_AFTER` ago, and features whose songs left as long ago. Imports stay."""
        before = self.now() - int(FORGET_AFTER.total_seconds())
        with self.connection() as db:
            old = "SELECT 1 FROM lookups WHERE at < ? UNION ALL SELECT 1 FROM features WHERE at < ? AND uri NOT IN (SELECT uri FROM songs) LIMIT 1"
            if db.execute(old, [before, before]).fetchone():
                with transaction(db):
                    db.execute("DELETE FROM origins WHERE origin IN (SELECT origin FROM lookups WHERE at < ?)", [before])
                    db.execute("DELETE FROM lookups WHERE at < ?", [before])
                    db.execute("DELETE FROM songs WHERE id NOT IN (SELECT song FROM origins)")
                    db.execute("DELETE FROM features WHERE at < ? AND uri NOT IN (SELECT uri FROM songs)", [before])


def bound(db: Database, most: int) -> int:
    """Let the longest unused songs beyond ``most`` go, imported ones last; return how many went. Within a transaction."""
    beyond = db.execute("SELECT count(*) FROM songs").fetchone()[0] - most
    if beyond <= 0:
        return 0
    # Of those that came in together, the last come first: an answer and a file begin with what matters.
    db.execute(
        """
        DELETE FROM songs WHERE id IN (
            SELECT id FROM songs ORDER BY EXISTS (SELECT 1 FROM origins WHERE song = id AND origin = ?), used, id DESC LIMIT ?
        )
        """,
        [IMPORTED, beyond],
    )
    return int(beyond)


def _song(row: Sequence[Any]) -> Song:
    _, uri, title, artist, album, duration_ms, explicit, energy, valence, tempo_bpm, danceability, acousticness = row
    features = None if energy is None else Features(energy, valence, tempo_bpm, danceability, acousticness)
    return Song(_track(uri, title, artist, duration_ms, explicit), album, features)


def _track(uri: str, title: str, artist: str, duration_ms: int, explicit: int | None) -> Track:
    return Track(uri, title, artist, duration_ms, None if explicit is None else bool(explicit))


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _pieces(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _PIECE):
        yield values[start : start + _PIECE]
