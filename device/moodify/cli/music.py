"""``moodify music moods`` and ``moodify music forget``: where each mood's music comes from, and an end to what was learned."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from moodify.cli.person import typed
from moodify.config import find, load
from moodify.daemon.places import DATABASE, folder_of
from moodify.errors import SignInNeeded
from moodify.music.song import Source

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config import Config
    from moodify.music.candidates import Wanted
    from moodify.music.catalogue.counting import MoodCount
    from moodify.music.taste import ThompsonTaste
    from moodify.types import Mood

#: Wide enough for the table where nobody's terminal has to hold it.
_WIDE = 200


def moods(config_file: Path | None, *, as_json: bool) -> int:
    """Print where each mood's music comes from and how many songs fit; return the exit code. Asks nobody.

    Raises:
        StoreBusy, StoreError: the catalogue can't be read.
        PersonMustAct: the sign-in can't be read.
    """
    from moodify.music.candidates import CandidatePool
    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.counting import count
    from moodify.music.catalogue.file import FILE

    config = load(find(config_file))
    with Catalogue(folder_of(config) / FILE, most=config.music.catalogue_max, read_only=True) as catalogue:
        counts = count(catalogue, config.music)
    if as_json:
        typer.echo(json.dumps(counts.as_json(), ensure_ascii=False, indent=2))
        return 0
    pool = CandidatePool(config.music)
    signed_in = _signed_in(config)
    table = Table()
    for heading in ("mood", "comes from", "fit", "near"):
        table.add_column(heading, justify="right" if heading in {"fit", "near"} else "left", overflow="fold")
    for mood, one in counts.moods.items():
        wanted = pool.source(mood)
        table.add_row(mood.value, wanted.uri or ", ".join(_said(source, wanted, one, signed_in=signed_in) for source in wanted.sources), str(one.fit), str(one.near))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    typer.echo("fit: songs whose features (how energetic and how cheerful they sound) match the mood well; near: songs that match less, taken where too few fit.")
    if not signed_in:
        typer.echo("Nobody is signed in to Spotify: your liked, top and recent songs and your playlists come after: moodify spotify login")
    typer.echo(f"The catalogue holds {counts.songs} songs, {counts.songs - counts.without_features} of them with features.")
    for mood, one in counts.moods.items():
        # Outside the table, which would break the key that is to be copied.
        step = _what_to_do(mood, one, by_search=Source.SEARCH in pool.source(mood).sources)
        if step:
            typer.echo(f"{mood.value}: {step}")
    if any(one.uri is None and not one.fit for one in counts.moods.values()):
        typer.echo(
            "Songs with features come with: moodify music import FILE.csv (an export of your playlists by exportify.net), or from your library with music.features_online = true."
        )
    for problem in counts.problems:
        typer.echo(problem)
    return 0


def forget(config_file: Path | None, *, yes: bool) -> int:
    """Forget what was learned from presses and skips, once that is confirmed; return the exit code."""
    from moodify.music import taste_keeping
    from moodify.store.settings import Settings

    config = load(find(config_file))
    path = folder_of(config) / DATABASE
    learned = learned_taste(config)
    if learned is None or learned.empty:
        typer.echo("Nothing was learned yet.")
        return 0
    songs = sum(len(each.songs) for each in learned.moods.values())
    about = f" about {songs} song{'' if songs == 1 else 's'}" if songs else ""
    if not yes and not typed("forget", [f"This forgets what was learned{about}. It can't be taken back."], otherwise="Nothing was forgotten"):
        return 1
    with Settings(path) as settings:
        taste_keeping.forget(settings)
    typer.echo(f"Forgotten. An appliance that runs forgets within {taste_keeping.LOOK_S:.0f} s.")
    return 0


def learned_taste(config: Config) -> ThompsonTaste | None:
    """Return what the appliance of this configuration has learned; None where it has not run yet.

    Raises:
        StoreBusy, StoreError: the database can't be read.
    """
    from moodify.music import taste_keeping
    from moodify.music.taste import ThompsonTaste
    from moodify.store.settings import Settings

    path = folder_of(config) / DATABASE
    if not path.is_file() or not path.stat().st_size:
        return None
    taste = ThompsonTaste(Random(0))  # noqa: S311 - no secret, and nothing is drawn
    with Settings(path) as settings:
        taste_keeping.recall(taste, settings.get(taste_keeping.TASTE_KEY), datetime.now(UTC))
    return taste


def _signed_in(config: Config) -> bool:
    from moodify.music.spotify.signin import open_sign_in

    try:
        open_sign_in(config.music, folder_of(config))
    except SignInNeeded:
        return False
    return True


def _said(source: Source, wanted: Wanted, one: MoodCount, *, signed_in: bool) -> str:
    if source is Source.SEARCH:
        return f"search for {wanted.search!r}"
    count = one.by_source.get(source.value, 0)
    return f"{source.value} ({count})" if signed_in or count or source is Source.IMPORTED else source.value


def _what_to_do(mood: Mood, one: MoodCount, *, by_search: bool) -> str:
    if one.uri is not None:
        return "" if one.fit else "not looked at yet: it is when the mood comes, or with: moodify music playlist " + mood.value
    if one.fit or one.near:
        return ""
    return f"{'the search stands in; ' if by_search else ''}import songs, or set music.moods.{mood.value}.uri"
