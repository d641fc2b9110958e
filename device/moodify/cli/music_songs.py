"""Where the songs of ``moodify music playlist`` are looked for, signed in or not."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from moodify.daemon.places import folder_of
from moodify.errors import CannotWork, PersonMustAct
from moodify.music.song import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from moodify.config import Config
    from moodify.config.model import Person
    from moodify.music.candidates import Wanted
    from moodify.music.port import Librarian
    from moodify.music.song import Candidate
    from moodify.music.spotify.factory import OpenPlayer
    from moodify.types import Mood


@dataclass(frozen=True, slots=True)
class Look:
    """Where the music of one mood is looked for."""

    wanted: Wanted
    key: str
    """Of the configuration, for the owner's choice."""


def look_for(music: Mood, name: str | None, whom: Person, config: Config) -> Look:
    """Return where music of a mood comes from, for a person: theirs, else the household's."""
    from moodify.music.candidates import CandidatePool

    household = CandidatePool(config.music).source(music)
    own = whom.moods.get(music)
    return Look(household, f"music.moods.{music.value}.uri") if own is None else Look(replace(household, uri=own), f"people.{name}.moods.{music.value}")


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks songs up."""

    librarian: Librarian
    opened: OpenPlayer
    imported_only: bool
    """The owner's imported songs, to look at only: the simulated speaker has none of them."""
    note: str | None
    """What a person should know of where the songs come from."""
    sign_in: str
    """What to do so that Spotify plays, as the end of a sentence."""

    def find(self, look: Look) -> tuple[Candidate, ...]:
        """Return a mood's songs.

        Raises:
            CannotWork, PersonMustAct: the owner's choice is not there, or as below.
            RetryLater, PersonMustAct, CannotWork: as :meth:`moodify.music.port.Librarian.find`.
        """
        wanted = replace(look.wanted, sources=(Source.IMPORTED,)) if self.imported_only else look.wanted
        try:
            return self.librarian.find(self.opened.player, replace(wanted, instead=False))
        except CannotWork as error:
            if wanted.uri is None:
                raise
            if self.opened.simulated is not None:
                raise PersonMustAct(f'{look.key} = "{wanted.uri}": the simulated speaker knows no playlists of yours; {self.sign_in}') from error
            raise CannotWork(f'{look.key} = "{wanted.uri}": {error}') from error

    def step(self, look: Look) -> str:
        """Say what somebody can do for more songs of a mood."""
        if look.wanted.uri is not None:
            return f"add songs to {look.wanted.uri}, or set {look.key} to another playlist that you own"
        if self.opened.simulated is None:
            return f"import songs: moodify music import FILE.csv, or set {look.key} to a playlist that you own"
        return self.sign_in if self.note is not None else f"import songs with moodify music import FILE.csv, or {self.sign_in}"

    def find_more(self, look: Look, known: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Return what the search finds besides, where it is a source."""
        if self.imported_only or look.wanted.uri is not None or Source.SEARCH not in look.wanted.sources:
            return ()
        uris = {song.track.uri for song in known}
        return tuple(song for song in self.librarian.find(self.opened.player, replace(look.wanted, sources=(Source.SEARCH,))) if song.track.uri not in uris)


@contextmanager
def open_finder(config: Config, opened: OpenPlayer, looks: Sequence[Look], *, on_speaker: bool) -> Iterator[Finder]:
    """Open what looks songs up; ``on_speaker``: they are to play, so that the speaker must have them."""
    from moodify.music.catalogue.librarian import open_librarian

    folder, sign_in = folder_of(config), sign_in_first(config)
    if opened.simulated is None:
        with open_librarian(config.music, folder) as librarian:
            yield Finder(librarian, opened, imported_only=False, note=None, sign_in=sign_in)
        return
    # What the simulated service has must not be remembered as the owner's, nor asked about elsewhere.
    music = config.music.model_copy(update={"features_online": False})
    with tempfile.TemporaryDirectory() as aside:
        imported = False
        if _copied(folder, Path(aside)):
            with open_librarian(music, Path(aside)) as librarian:
                finder = Finder(librarian, opened, imported_only=True, note=None, sign_in=sign_in)
                imported = any(finder.find(look) for look in looks if look.wanted.uri is None and Source.IMPORTED in look.wanted.sources)
                if imported and not on_speaker:
                    yield finder
                    return
        note = f"This is another list than without --play: the simulated speaker has its own songs and none of your imported ones. To hear yours, {sign_in}" if imported else None
        with open_librarian(music, Path(aside) / "simulated") as librarian:
            yield Finder(librarian, opened, imported_only=False, note=note, sign_in=sign_in)


def sign_in_first(config: Config) -> str:
    """Say what to do so that Spotify plays and not the simulated speaker, as the end of a sentence."""
    step = "sign in first with: moodify spotify login"
    return f'set music.speaker = "auto", and {step}' if config.music.speaker == "simulated" else step


def _copied(folder: Path, to: Path) -> bool:
    """Copy the owner's catalogue, which may be in use; return whether there is one."""
    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.file import FILE

    if not (folder / FILE).is_file():
        return False
    with Catalogue(folder / FILE, read_only=True) as catalogue, catalogue.connection() as original, closing(sqlite3.connect(to / FILE)) as copy:
        original.conn.backup(copy)
    return True
