"""Reads the CSV files that Exportify writes, in both variants; columns are found by name.

Without features, 18 columns and later 19 or fewer (exportify.app, github.com/watsonbox/exportify): ``Track URI``, ``Track Name``, ``Artist URI(s)``,
``Artist Name(s)``, ``Album URI``, ``Album Name``, ``Album Artist URI(s)``, ``Album Artist Name(s)``, ``Album Release Date``, ``Album Image URL``,
``Disc Number``, ``Track Number``, ``Track Duration (ms)``, ``Track Preview URL``, ``Explicit``, ``Popularity``, (``ISRC``,) ``Added By``, ``Added At``.

With features, 23 columns and later 24 (exportify.net, github.com/pavelkomarov/exportify, whose issue 36 shows both): ``Spotify ID`` (now ``Track URI``),
``Artist IDs``, ``Track Name``, ``Album Name``, ``Artist Name(s)``, ``Release Date``, ``Duration (ms)``, ``Popularity``, (``Explicit``,) ``Added By``,
``Added At``, ``Genres``, (``Record Label``,) ``Danceability``, ``Energy``, ``Key``, ``Loudness``, ``Mode``, ``Speechiness``, ``Acousticness``, ``Instrumentalness``,
``Liveness``, ``Valence``, ``Tempo``, ``Time Signature``. Its feature columns may be empty (issue 85).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING

from moodify.errors import CannotWork
from moodify.music.catalogue.songs import Song
from moodify.music.song import Features
from moodify.types import Track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

#: The spellings of the columns that are read, by what they hold; case and spaces do not count.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "uri": ("Track URI", "Spotify ID", "Spotify URI", "Track ID"),
    "title": ("Track Name",),
    "artist": ("Artist Name(s)", "Artist Name"),
    "duration": ("Track Duration (ms)", "Duration (ms)"),
    "album": ("Album Name",),
    "explicit": ("Explicit",),
    "energy": ("Energy",),
    "valence": ("Valence",),
    "tempo": ("Tempo",),
    "danceability": ("Danceability",),
    "acousticness": ("Acousticness",),
}
NEEDED = ("uri", "title", "artist", "duration")

_AGAIN = "export it again, without changing it in another program"

#: A title or a name is kept up to so many characters.
LONGEST_TEXT = 300
#: No song is longer, in milliseconds: a day.
LONGEST_MS = 86_400_000
#: No song is faster, in beats a minute; 0 stands for a tempo that was not found.
FASTEST_BPM = 1000.0

_ID = re.compile(r"(?:spotify:track:|https://open\.spotify\.com/track/)?([0-9A-Za-z]{22})(?:\?.*)?")
_NO_TRACK = {"spotify:local:": "a local file, which no speaker can play", "spotify:episode:": "an episode, no song"}


class FileError(CannotWork):
    """A file is not what Exportify writes."""


@dataclass(frozen=True, slots=True)
class Row:
    """A song of the file."""

    line: int
    song: Song


@dataclass(frozen=True, slots=True)
class Left:
    """A row that holds no song to take."""

    line: int
    why: str


class Reader:
    """One pass over one file, in constant memory."""

    def __init__(self, path: Path, progress: Callable[[int], None] = lambda _bytes: None) -> None:
        """Take the file and what is told, now and then, how many bytes were read."""
        self._path = path
        self._progress = progress
        self.has_features = False
        """Whether the file has columns for energy and valence; known once the first row was read."""

    def rows(self) -> Iterator[Row | Left]:
        """Give every row after the header.

        Raises:
            FileError: the file is no such file; the message names file, line, column, value and what to do.
        """
        try:
            with self._path.open("rb") as raw:
                if raw.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
                    raise FileError(f"{self._path}: is UTF-16; save it as UTF-8, or export it again")
            with self._path.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
                yield from self._rows(csv.reader(file, strict=True), raw.tell)
        except OSError as error:
            raise FileError(f"{self._path}: {error.strerror}; name a CSV file that can be read") from error
        except UnicodeDecodeError as error:
            raise FileError(f"{self._path}: line {self._undecodable()}: is not UTF-8; save it as UTF-8, or export it again") from error

    def _rows(self, reader: Iterator[list[str]], position: Callable[[], int]) -> Iterator[Row | Left]:
        line = 0
        columns: _Columns | None = None
        while True:
            begins = line + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise FileError(f"{self._path}: line {begins}: {error}; {_AGAIN}") from error
            line = reader.line_num  # type: ignore[attr-defined]  # csv's reader is more than an iterator
            self._progress(position())
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _Columns(self._path, begins, cells)
                self.has_features = columns.has_features
            else:
                yield columns.read(begins, cells)
        if columns is None:
            raise FileError(f"{self._path}: is empty; export it again at exportify.net")

    def _undecodable(self) -> int:
        with self._path.open("rb") as raw:
            for number, line in enumerate(raw, start=1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return number
        return 1


class _Columns:
    """Where the header says that things are."""

    def __init__(self, path: Path, line: int, header: Sequence[str]) -> None:
        self._path = path
        self._header = [cell.strip() for cell in header]
        places = {_plain(name): place for place, name in reversed(list(enumerate(self._header)))}
        self._places = {key: places[_plain(name)] for key, names in SPELLINGS.items() for name in reversed(names) if _plain(name) in places}
        missing = [SPELLINGS[key][0] for key in NEEDED if key not in self._places]
        if missing:
            raise FileError(f"{path}: line {line}: there is no column {missing[0]!r}{self._hint()}")

    @property
    def has_features(self) -> bool:
        """Whether energy and valence have columns."""
        return {"energy", "valence"} <= self._places.keys()

    def read(self, line: int, cells: Sequence[str]) -> Row | Left:
        """Read a row."""
        if len(cells) != len(self._header):
            raise FileError(f"{self._path}: line {line}: has {len(cells)} columns where the header has {len(self._header)}; {_AGAIN}")
        name = self._cell("uri", cells)
        if not name:
            return Left(line, "it has no Spotify id")
        for beginning, why in _NO_TRACK.items():
            if name.startswith(beginning):
                return Left(line, why)
        match = _ID.fullmatch(name)
        if match is None:
            raise self._wrong(line, "uri", name, "a track like spotify:track:6rqhFgbbKwnb9MLmUQDhG6")
        title = self._text("title", cells)
        if not title:
            return Left(line, "it has no title: Spotify does not offer it any more")
        artist = self._text("artist", cells) or ""
        duration = self._number(line, "duration", cells, LONGEST_MS, "a number of milliseconds, up to a day")
        if duration is None:
            return Left(line, "it has no duration")
        track = Track(f"spotify:track:{match[1]}", title, artist, round(duration), self._explicit(line, cells))
        return Row(line, Song(track, self._text("album", cells), self._features(line, cells)))

    def _features(self, line: int, cells: Sequence[str]) -> Features | None:
        shares = {key: self._number(line, key, cells, 1.0, "a number from 0 to 1 with a decimal point") for key in ("energy", "valence", "danceability", "acousticness")}
        tempo = self._number(line, "tempo", cells, FASTEST_BPM, "a number of beats a minute with a decimal point")
        energy, valence = shares["energy"], shares["valence"]
        if energy is None or valence is None:
            return None
        return Features(energy, valence, tempo or None, shares["danceability"], shares["acousticness"])

    def _explicit(self, line: int, cells: Sequence[str]) -> bool | None:
        said = self._cell("explicit", cells).casefold()
        if said not in {"", "true", "false"}:
            raise self._wrong(line, "explicit", said, "true or false")
        return None if not said else said == "true"

    def _number(self, line: int, key: str, cells: Sequence[str], most: float, meant: str) -> float | None:
        said = self._cell(key, cells)
        if not said:
            return None
        try:
            number = float(said)
        except ValueError:
            raise self._wrong(line, key, said, meant) from None
        if not 0 <= number <= most:
            raise self._wrong(line, key, said, meant)
        return number

    def _text(self, key: str, cells: Sequence[str]) -> str | None:
        # What would move a terminal's cursor is no part of a title.
        said = "".join(character if character.isprintable() else " " for character in self._cell(key, cells))
        return " ".join(said.split())[:LONGEST_TEXT] or None

    def _cell(self, key: str, cells: Sequence[str]) -> str:
        place = self._places.get(key)
        return "" if place is None else cells[place].strip()

    def _wrong(self, line: int, key: str, said: str, meant: str) -> FileError:
        return FileError(f"{self._path}: line {line}, column {self._header[self._places[key]]!r}: {_short(said)} is not {meant}; {_AGAIN}")

    def _hint(self) -> str:
        if len(self._header) == 1 and (";" in self._header[0] or "\t" in self._header[0]):
            return "; its columns are not separated by commas: export it again, without saving it from a spreadsheet"
        found = ", ".join(_short(name) for name in self._header[:6])
        return f" (there: {found}{', …' if len(self._header) > 6 else ''}); export it at exportify.net, in English"  # noqa: PLR2004 - a few


def _plain(name: str) -> str:
    return "".join(name.casefold().split())


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")  # noqa: PLR2004 - one line for a person
