"""``moodify music playlist``: makes a playlist for a mood and a person, to look at, to play or to save."""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodify.cli.music import learned_taste
from moodify.config import find, load
from moodify.config.model import Person
from moodify.daemon.places import folder_of
from moodify.errors import CannotWork, MoodifyError, NotAllowed, PersonMustAct
from moodify.music.playlist import Preferences, make_playlist
from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from moodify.config import Config
    from moodify.music.candidates import Wanted
    from moodify.music.playlist import Playlist
    from moodify.music.port import Player
    from moodify.music.song import Candidate
    from moodify.music.spotify.factory import OpenPlayer

#: Wide enough for the table where nobody's terminal has to hold it.
_WIDE = 200


def playlist(mood: str, *, person: str | None, length: int | None, play: bool, save: bool, as_json: bool, config_file: Path | None) -> int:
    """Make a playlist, print it, and play or save it where that is asked for; return the exit code.

    Raises:
        CannotWork: no mood or no person of that name.
        PersonMustAct: there are no songs; it may not be saved; the speaker wants somebody.
        RetryLater: the speaker or its service can't be reached now.
    """
    from moodify.music.spotify.factory import open_player

    config = load(find(config_file))
    felt = _mood(mood)
    name, whom = _person(person, config)
    if save and not config.music.spotify.save_playlists:
        raise NotAllowed("playlists are not saved: set music.spotify.save_playlists = true, then sign in again with: moodify spotify login")
    wished = _preferences(whom, config, length)
    with open_player(config.music, folder_of(config)) as opened, opened.player.asked():
        songs = _songs(config, opened, _wanted(felt, whom, config), on_speaker=play or save)
        taste = learned_taste(config) if config.music.learning else None
        made = make_playlist(felt, songs, wished, taste)
        if not made.picks:
            raise PersonMustAct(_nothing(felt, made))
        saved = _saved(opened.player, felt, name, made) if save else None
        if not as_json:
            _print(made, felt, name, wished, opened.player.description, simulated=opened.simulated is not None)
        if play:
            _play(opened.player, made, saved)
    if as_json:
        typer.echo(json.dumps(_as_json(made, felt, name, wished, opened, played=play, saved=saved), ensure_ascii=False, indent=2))
        return 0
    if saved is not None:
        typer.echo(f"Saved as {_title(felt, name)}: {saved}")
    if play:
        typer.echo(f"Plays on {opened.player.description}" + (", which ends with this command and makes no sound" if opened.simulated is not None else ""))
    return 0


def _mood(text: str) -> Mood:
    known = {mood.value: mood for mood in FELT_MOODS}
    if text.casefold() not in known:
        raise CannotWork(f"there is no mood {text!r} with music; the moods are {', '.join(known)}")
    return known[text.casefold()]


def _person(text: str | None, config: Config) -> tuple[str | None, Person]:
    if text is None:
        return None, Person()
    by_name = {name.casefold(): name for name in config.people}
    found = text if text in config.people else by_name.get(text.casefold())
    if found is None:
        known = f"the people in the configuration are {', '.join(config.people)}" if config.people else "nobody is in the configuration yet"
        raise CannotWork(f"there is no {text!r}; {known}. Write a section [people.NAME]")
    return found, config.people[found]


def _preferences(whom: Person, config: Config, length: int | None) -> Preferences:
    from moodify.music.hours import goal

    now = datetime.now(UTC).astimezone().time()
    return Preferences(whom.goal or goal(now, config.music), whom.loves, whom.avoids, whom.explicit, length or whom.length)


def _wanted(mood: Mood, whom: Person, config: Config) -> Wanted:
    from moodify.music.candidates import CandidatePool

    household = CandidatePool(config.music).source(mood)
    own = whom.moods.get(mood)
    return household if own is None else replace(household, uri=own)


def _songs(config: Config, opened: OpenPlayer, wanted: Wanted, *, on_speaker: bool) -> tuple[Candidate, ...]:
    from moodify.music.catalogue.librarian import open_librarian
    from moodify.music.song import Source

    folder = folder_of(config)
    if opened.simulated is None:
        with open_librarian(config.music, folder) as librarian:
            return librarian.find(opened.player, wanted)
    # What the simulated service has must not be remembered as the owner's, nor asked about elsewhere.
    music = config.music.model_copy(update={"features_online": False})
    with tempfile.TemporaryDirectory() as aside:
        if not on_speaker and wanted.uri is None and Source.IMPORTED in wanted.sources and _copied(folder, Path(aside)):
            with open_librarian(music, Path(aside)) as librarian:
                imported = librarian.find(opened.player, replace(wanted, sources=(Source.IMPORTED,)))
            if imported:
                return imported
        with open_librarian(music, Path(aside) / "simulated") as librarian:
            return librarian.find(opened.player, wanted)


def _copied(folder: Path, to: Path) -> bool:
    """Copy the owner's catalogue, which may be in use; return whether there is one."""
    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.file import FILE

    if not (folder / FILE).is_file():
        return False
    with Catalogue(folder / FILE, read_only=True) as catalogue, catalogue.connection() as original, closing(sqlite3.connect(to / FILE)) as copy:
        original.conn.backup(copy)
    return True


def _nothing(mood: Mood, made: Playlist) -> str:
    step = f"import songs: moodify music import FILE.csv, or set music.moods.{mood.value}.uri to a playlist that you own"
    if made.left_out:
        return f"no {mood.value} song is left: {_left_out(made)}. Loosen the preferences, or {step}"
    return f"no {mood.value} songs are known, or they may not be read; {step}"


def _saved(player: Player, mood: Mood, person: str | None, made: Playlist) -> str:
    return player.save_playlist(_title(mood, person), [pick.track.uri for pick in made.picks], description=f"Made by Moodify for {mood.value}.")


def _title(mood: Mood, person: str | None) -> str:
    return f"Moodify {mood.value}" if person is None else f"Moodify {mood.value} for {person}"


def _play(player: Player, made: Playlist, saved: str | None) -> None:
    if saved is not None:
        player.play(saved)
        return
    first, *rest = [pick.track.uri for pick in made.picks]
    player.play(first)
    for done, uri in enumerate(rest, start=1):
        try:
            player.queue(uri)
        except MoodifyError as error:
            sys.stderr.write(f"moodify: {done} of {len(rest) + 1} songs were taken by the speaker\n")
            raise error from None


def _print(made: Playlist, mood: Mood, person: str | None, wished: Preferences, speaker: str, *, simulated: bool) -> None:
    table = Table(title=f"{_title(mood, person)}: {len(made.picks)} songs, goal {wished.goal}", title_justify="left")
    for heading in ("", "song", "artist", "energy", "valence", "why"):
        table.add_column(heading, justify="right" if heading in {"", "energy", "valence"} else "left", overflow="fold")
    for number, pick in enumerate(made.picks, start=1):
        sound = ("", "") if pick.features is None else (f"{pick.features.energy:.2f}", f"{pick.features.valence:.2f}")
        table.add_row(str(number), Text(pick.track.title), Text(pick.track.artist), *sound, Text(", ".join(pick.reasons)))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    if made.left_out:
        typer.echo(f"Left out: {_left_out(made)}.")
    if made.unmarked:
        typer.echo(f"Of {made.unmarked} songs it is not known whether they are explicit.")
    typer.echo(f"Speaker: {speaker}" + ("; nobody is signed in to Spotify, or it is configured so." if simulated else "."))


def _left_out(made: Playlist) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in made.left_out.items())


def _as_json(made: Playlist, mood: Mood, person: str | None, wished: Preferences, opened: OpenPlayer, *, played: bool, saved: str | None) -> dict[str, Any]:
    tracks = [
        {
            "uri": pick.track.uri,
            "title": pick.track.title,
            "artist": pick.track.artist,
            "duration_ms": pick.track.duration_ms,
            "explicit": pick.track.explicit,
            "fit": round(pick.fit, 3),
            "energy": None if pick.features is None else pick.features.energy,
            "valence": None if pick.features is None else pick.features.valence,
            "reasons": list(pick.reasons),
        }
        for pick in made.picks
    ]
    return {
        "mood": mood.value,
        "for": person,
        "goal": wished.goal,
        "speaker": opened.player.description,
        "simulated": opened.simulated is not None,
        "tracks": tracks,
        "left_out": dict(made.left_out),
        "unmarked": made.unmarked,
        "played": played,
        "saved": saved,
    }
