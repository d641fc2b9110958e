"""The files of an export: each with a line on what it is, and for a table on what each column is."""

from __future__ import annotations

import csv
import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from moodify import __version__
from moodify.daemon.places import DEVICE_KEY
from moodify.errors import PersonMustAct
from moodify.types import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from moodify.types import Event

#: Of the manifest.
FORMAT: Final = 1
#: What a table's program would take for a formula, and carry out: titles come from elsewhere.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_AT = {"at": "when, UTC, ISO 8601"}
_TRACK = {"title": "of the song", "artist": "of the song", "uri": "Spotify's name for the song"}
#: The tables of history: the kind of event, what the table is, and its columns.
_TABLES: Final[Mapping[EventKind, tuple[str, str, Mapping[str, str]]]] = {
    EventKind.MOOD: (
        "moods.csv",
        "Moods of the room, as they began.",
        _AT
        | {
            "mood": "happy, surprised, calm, sad, angry, tense, unsure or absent",
            "confidence": "probability from 0 to 1",
            "valence": "from -1 (unpleasant) to 1 (pleasant)",
            "arousal": "from -1 (drowsy) to 1 (excited)",
            "people": "faces counted",
            "since": "when it began, UTC",
            "asked": "whether it answers a press",
        },
    ),
    EventKind.PRESENCE: ("presence.csv", "How many people were seen, where that changed.", _AT | {"present": "whether anybody", "people": "how many; empty: nobody could be seen"}),
    EventKind.DECISION: ("decisions.csv", "What was decided about the music, and why.", _AT | {"act": "what", "mood": "for which mood", "reason": "why"} | _TRACK),
    EventKind.ORDER: (
        "orders.csv",
        "What the speaker was told to do, and how that ended.",
        _AT | {"act": "what", "status": "done, failed or dropped", "took_ms": "how long it took, in milliseconds", "message": "what went wrong"} | _TRACK,
    ),
}
_SONG = {
    "title": "of the song",
    "artist": "of the song",
    "album": "where it is known",
    "uri": "Spotify's name for the song",
    "duration_ms": "how long it is, in milliseconds",
    "explicit": "as Spotify marks it",
    "energy": "from 0 to 1",
    "valence": "from 0 (gloomy) to 1 (cheerful)",
    "tempo_bpm": "beats a minute",
    "danceability": "from 0 to 1",
    "acousticness": "from 0 to 1",
    "origins": "where it was found: liked, top, recent, imported, playlist:…, search:…",
}
#: Settings that have a file of their own, or that are the link's own bookkeeping.
_TASTE: Final = "taste"
_COMMANDS: Final = "link.command."


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was written."""

    name: str
    about: str
    rows: int | None = None
    """None for what is no list."""
    columns: Mapping[str, str] = field(default_factory=dict)


class Sheets:
    """Writes them into a folder. Errors of the system come out as OSError, of the databases as StoreBusy and StoreError."""

    def __init__(self, place: Path) -> None:
        """Take the folder, which is empty."""
        self._place = place
        self.written: list[Sheet] = []

    def history(self, database: Path) -> None:
        """Write all events as JSON, and those that people ask about as tables."""
        from moodify.store.history import History

        counts = dict.fromkeys(_TABLES, 0)
        total = 0
        with History(database) as history, self._tables() as tables, self._open("events.json") as out:
            out.write("[")
            for event in history.each():
                out.write(f"{',' if total else ''}\n{json.dumps(event.as_json(), ensure_ascii=False)}")
                total += 1
                if event.kind in tables:
                    tables[event.kind].writerow(_cells(event, _TABLES[event.kind][2]))
                    counts[event.kind] += 1
            out.write("\n]\n")
        self.written.append(Sheet("events.json", "Everything that happened, oldest first, exactly as it is kept.", total))
        self.written += [Sheet(name, about, counts[kind], columns) for kind, (name, about, columns) in _TABLES.items()]

    def settings(self, database: Path) -> None:
        """Write what was learned, what is set, what commands were answered, and what waits to be sent."""
        from moodify.store.outbox import Outbox
        from moodify.store.settings import Settings

        with Settings(database) as settings:
            kept = settings.all()
        learned = kept.pop(_TASTE, None)
        commands = [kept.pop(key) for key in sorted(kept) if key.startswith(_COMMANDS)]
        self._json("settings.json", "What survives a restart: privacy, the last date, what the music remembers.", kept)
        self._json("taste.json", "What was learned from presses and skips; songs and artists stand under a hash of their names, evidence in hundredths of a play.", learned)
        self._json("commands.json", "Commands from afar that were carried out, and what was answered.", commands, rows=len(commands))
        with Outbox(database) as outbox:
            waiting = [json.loads(message.payload) for message in _all(outbox)]
        self._json("unsent.json", "Summaries that wait to be sent.", waiting, rows=len(waiting))

    def people(self, database: Path) -> None:
        """Write who has an account, with what is kept of each; never a password's hash."""
        from moodify.accounts.export import everybody
        from moodify.accounts.tables import TableAccounts
        from moodify.daemon.skin_keeping import RunningSkinKeeping
        from moodify.store.accounts import AccountTransactions

        with AccountTransactions(database) as transactions:
            people = everybody(TableAccounts(transactions), RunningSkinKeeping(database).exported)
        about = "Who has an account on the page, with preferences, where they are signed in, and the looks at their skin that they allowed; no passwords."
        self._json("people.json", about, people, rows=len(people))

    def songs(self, folder: Path) -> None:
        """Write the songs of the catalogue."""
        from moodify.music.catalogue.catalogue import Catalogue
        from moodify.music.catalogue.file import FILE

        rows = []
        with Catalogue(folder / FILE, read_only=True) as catalogue:
            for known in catalogue.every_song():
                track, features = known.song.track, known.song.features
                row: dict[str, Any] = dict.fromkeys(_SONG) | {"title": track.title, "artist": track.artist, "album": known.song.album, "uri": track.uri}
                row |= {"duration_ms": track.duration_ms, "explicit": track.explicit, "origins": sorted(known.origins)}
                if features is not None:
                    row |= {name: getattr(features, name) for name in ("energy", "valence", "tempo_bpm", "danceability", "acousticness")}
                rows.append(row)
        self._json("songs.json", "The songs that the appliance knows.", rows, rows=len(rows))
        with self._open("songs.csv", table=True) as out:
            table = csv.writer(out)
            table.writerow(_SONG)
            table.writerows([_cell(" ".join(value) if name == "origins" else value) for name, value in row.items()] for row in rows)
        self.written.append(Sheet("songs.csv", "The same as a table.", len(rows), _SONG))

    def device(self, folder: Path) -> None:
        """Write who this device is and where it belongs; its public key, never the private one."""
        from moodify.cloud import enrolment, identity
        from moodify.cloud.keys import line_of
        from moodify.music.spotify import tokens

        problems = []
        found: dict[str, Any] = {"id": None, "public_key": None, "hub": None, "signed_in_to_spotify": (folder / tokens.FILE).exists()}
        try:
            if (folder / DEVICE_KEY).exists():
                own = identity.load(folder / DEVICE_KEY)
                found |= {"id": own.device, "public_key": line_of(own.key.public_key())}
            if (hub := enrolment.load(folder)) is not None:
                found |= {"hub": {"name": hub.name, "host": hub.host, "port": hub.port, "enrolled": hub.enrolled.isoformat()}}
        except PersonMustAct as error:
            # The history is its owner's all the same.
            problems.append(str(error))
        self._json("device.json", "Who this device is, and where it belongs.", found | {"problems": problems})

    def text(self, name: str, about: str, content: str) -> None:
        """Write a text."""
        with self._open(name) as out:
            out.write(content)
        self.written.append(Sheet(name, about))

    def manifest(self) -> None:
        """Write what is there; last."""
        files = [{"name": each.name, "about": each.about, "rows": each.rows, "columns": dict(each.columns)} for each in self.written]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._json("manifest.json", "What each file is, and each column.", {"program": "moodify-export", "format": FORMAT, "version": __version__, "written": now, "files": files})

    def _json(self, name: str, about: str, value: object, *, rows: int | None = None) -> None:
        with self._open(name) as out:
            json.dump(value, out, ensure_ascii=False, indent=1)
            out.write("\n")
        self.written.append(Sheet(name, about, rows))

    @contextmanager
    def _tables(self) -> Iterator[dict[EventKind, Any]]:
        with ExitStack() as stack:
            tables = {}
            for kind, (name, _, columns) in _TABLES.items():
                tables[kind] = csv.writer(stack.enter_context(self._open(name, table=True)))
                tables[kind].writerow(columns)
            yield tables

    @contextmanager
    def _open(self, name: str, *, table: bool = False) -> Iterator[TextIO]:
        handle = os.open(self._place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # The mark at its beginning lets Excel read UTF-8. Half of a character, which UTF-8 can't say, is written as JSON escapes it.
        with os.fdopen(handle, "w", encoding="utf-8-sig" if table else "utf-8", errors="backslashreplace", newline="" if table else None) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())


def _all(outbox: Any) -> Iterator[Any]:
    after = 0
    while page := outbox.unsent(after=after, limit=100):
        yield from page
        after = page[-1].seq


def _cells(event: Event, columns: Iterable[str]) -> list[str]:
    track = event.data.get("track") or {}
    values = {"at": event.at.isoformat(timespec="milliseconds")} | dict(event.data) | {name: track.get(name) for name in _TRACK}
    return [_cell(values.get(column)) for column in columns]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
