"""``moodify music playlist``: makes a playlist for a mood and a person, to look at, to play or to save."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moodify.cli.music import learned_taste
from moodify.cli.music_songs import look_for, open_finder, sign_in_first
from moodify.config import find, load
from moodify.config.model import Person
from moodify.daemon.places import folder_of
from moodify.errors import CannotWork, MoodifyError, NotAllowed, PersonMustAct
from moodify.music.playlist import Preferences, make_playlist, moods_for
from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time
    from pathlib import Path

    from moodify.cli.music_songs import Finder, Look
    from moodify.config import Config
    from moodify.music.playlist import Playlist
    from moodify.music.port import Player
    from moodify.music.spotify.factory import OpenPlayer
    from moodify.music.taste import ThompsonTaste

#: Wide enough for the table where nobody's terminal has to hold it.
_WIDE = 200


def playlist(mood: str, *, person: str | None, length: int | None, play: bool, save: bool, as_json: bool, config_file: Path | None) -> int:
    """Make a playlist, print it, and play or save it where that is asked for; return the exit code.

    Raises:
        CannotWork: no mood, no person or no music of that name.
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
    looks = [look_for(music, name, whom, config) for music in moods_for(wished.goal, felt)]
    with open_player(config.music, folder_of(config)) as opened, opened.player.asked():
        if save and opened.simulated is not None:
            raise PersonMustAct(f"the simulated speaker keeps no playlists; {sign_in_first(config)}")
        with open_finder(config, opened, looks, on_speaker=play) as finder:
            made, notes = _made(felt, looks, finder, wished, learned_taste(config) if config.music.learning else None)
        if not made.picks:
            raise PersonMustAct(_nothing(looks, made, finder))
        saved = _saved(opened.player, felt, name, made) if save else None
        if not as_json:
            _print(made, felt, name, wished, opened.player.description, notes, simulated=opened.simulated is not None)
        if play:
            _play(opened, made, saved, config)
    if as_json:
        typer.echo(json.dumps(_as_json(made, felt, name, wished, opened, notes, played=play, saved=saved), ensure_ascii=False, indent=2))
        return 0
    if saved is not None:
        typer.echo(f"Saved as {_title(felt, name)}: {saved}")
    if play:
        typer.echo(f"Plays on {opened.player.description}" + (", which ends with this command and makes no sound" if opened.simulated is not None else ""))
    return 0


def _local_time() -> time:
    return datetime.now(UTC).astimezone().time()


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

    return Preferences(whom.goal or goal(_local_time(), config.music), whom.loves, whom.avoids, whom.explicit, length or whom.length)


def _made(felt: Mood, looks: Sequence[Look], finder: Finder, wished: Preferences, taste: ThompsonTaste | None) -> tuple[Playlist, list[str]]:
    """Return the playlist, and what a person should know of it."""
    notes = [] if finder.note is None else [finder.note]
    songs = {look.wanted.mood: finder.find(look) for look in looks}
    made = make_playlist(felt, songs, wished, taste)
    if len(made.picks) < wished.length:
        try:
            songs = {look.wanted.mood: (*(known := songs[look.wanted.mood]), *finder.find_more(look, known)) for look in looks}
        except MoodifyError as error:
            notes.append(f"The search for more songs failed: {error}")
        made = make_playlist(felt, songs, wished, taste)
    if len(made.picks) < wished.length:
        notes.append(
            f"{len(made.picks)} of {wished.length}: no more songs fit {_moods(looks)}{', of those that may come' if made.left_out else ''}. For more, {finder.step(looks[-1])}."
        )
    return made, notes


def _moods(looks: Sequence[Look]) -> str:
    *others, last = [look.wanted.mood.value for look in looks]
    return f"{', '.join(others)} or {last}" if others else last


def _nothing(looks: Sequence[Look], made: Playlist, finder: Finder) -> str:
    moods, step = _moods(looks), finder.step(looks[-1])
    if made.left_out:
        return f"no {moods} song is left: {_left_out(made)}. Loosen the preferences, or {step}"
    return f"no {moods} songs are known, or they may not be read; {step}"


def _saved(player: Player, mood: Mood, person: str | None, made: Playlist) -> str:
    return player.save_playlist(_title(mood, person), [pick.track.uri for pick in made.picks], description=f"Made by Moodify for {mood.value}.")


def _title(mood: Mood, person: str | None) -> str:
    return f"Moodify {mood.value}" if person is None else f"Moodify {mood.value} for {person}"


def _play(opened: OpenPlayer, made: Playlist, saved: str | None, config: Config) -> None:
    from moodify.music.hours import volume_cap
    from moodify.music.starting import start_below

    player = opened.player
    first, *rest = [saved] if saved is not None else [pick.track.uri for pick in made.picks]
    most = volume_cap(_local_time(), config.music)
    start_below(player, lambda: player.play(first), most, speaker=config.music.spotify.speaker if opened.simulated is None else opened.simulated.name)
    for done, uri in enumerate(rest, start=1):
        try:
            player.queue(uri)
        except MoodifyError as error:
            sys.stderr.write(f"moodify: {done} of {len(rest) + 1} songs were taken by the speaker\n")
            raise error from None


def _print(made: Playlist, mood: Mood, person: str | None, wished: Preferences, speaker: str, notes: Sequence[str], *, simulated: bool) -> None:
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
    for note in notes:
        typer.echo(note)
    typer.echo(f"Speaker: {speaker}" + ("; nobody is signed in to Spotify, or it is configured so." if simulated else "."))


def _left_out(made: Playlist) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in made.left_out.items())


def _as_json(made: Playlist, mood: Mood, person: str | None, wished: Preferences, opened: OpenPlayer, notes: Sequence[str], *, played: bool, saved: str | None) -> dict[str, Any]:
    tracks = [
        {
            "uri": pick.track.uri,
            "title": pick.track.title,
            "artist": pick.track.artist,
            "duration_ms": pick.track.duration_ms,
            "explicit": pick.track.explicit,
            "mood": pick.mood.value,
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
        "notes": list(notes),
        "played": played,
        "saved": saved,
    }
