"""The commands of ``moodify spotify`` and ``moodify music``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

spotify = Commands(help="The sign-in to Spotify.", no_args_is_help=True)
music = Commands(help="What plays and why, playlists, and where music comes from.", no_args_is_help=True)


@spotify.command()
def login(config: ConfigOption = None) -> None:
    """Sign in to Spotify, with an app of your own; any phone or computer opens the link."""
    from moodify.cli.spotify import login as sign_in

    raise typer.Exit(sign_in(config))


@spotify.command()
def status(
    config: ConfigOption = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say how the sign-in to Spotify stands and when it ends; exits 3 when somebody has to act."""
    from moodify.cli.spotify import status as tell_status

    raise typer.Exit(tell_status(config, as_json=as_json))


@spotify.command()
def logout(config: ConfigOption = None) -> None:
    """Forget the sign-in to Spotify, and the app that it was made with."""
    from moodify.cli.spotify import logout as sign_out

    raise typer.Exit(sign_out(config))


@music.command()
def now(
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say the mood, what plays and what comes next, and how old that news is."""
    from moodify.cli.music_now import now as tell_now

    raise typer.Exit(tell_now(config, as_json=as_json))


@music.command()
def why(
    last: Annotated[int, typer.Option(metavar="N", min=1, max=500, help="How many decisions to show.")] = 10,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say what was decided last, and the reasons."""
    from moodify.cli.music_now import why as tell_why

    raise typer.Exit(tell_why(config, last=last, as_json=as_json))


@music.command()
def moods(
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say for each mood where its music comes from, how many songs fit, and what to do where there are none."""
    from moodify.cli.music import moods as tell_moods

    raise typer.Exit(tell_moods(config, as_json=as_json))


@music.command()
def playlist(
    mood: Annotated[str, typer.Argument(metavar="MOOD", help="happy, surprised, calm, sad, angry or tense.")],
    person: Annotated[str | None, typer.Option("--for", metavar="PERSON", help="Whose preferences count: a section \\[people.PERSON] of the configuration.")] = None,
    length: Annotated[int | None, typer.Option(metavar="N", min=1, max=100, help="How many songs; default: as the person's section says, or 20.")] = None,
    play: Annotated[bool, typer.Option("--play", help="Play it on the speaker now.")] = False,  # noqa: FBT002 - a flag of the command line
    save: Annotated[bool, typer.Option("--save", help="Save it as a private playlist of yours (music.spotify.save_playlists).")] = False,  # noqa: FBT002 - a flag of the command line
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Make a playlist for a mood, with the reason for each song; look at it, play it or save it."""
    from moodify.cli.music_playlist import playlist as make_playlist

    raise typer.Exit(make_playlist(mood, person=person, length=length, play=play, save=save, as_json=as_json, config_file=config))


@music.command("import")
def import_music(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV files that Exportify wrote of playlists.")],
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Take the songs of CSV files into the catalogue, and say which rows were taken and which were left."""
    from moodify.cli.music_import import import_files

    raise typer.Exit(import_files(files, config_file=config, as_json=as_json))


@music.command()
def simulate(
    runs: Annotated[int, typer.Option(metavar="N", min=2, max=1000, help="Households of each kind.")] = 8,
    plays: Annotated[int, typer.Option(metavar="N", min=2, max=10_000, help="Songs that each hears.")] = 240,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The same seed gives the same outcome.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the regret curves with their 95 % bands (needs matplotlib).")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Compare learning with chance and with a fixed playlist, over households that are equations."""
    from moodify.cli.music_simulate import simulate as compare

    raise typer.Exit(compare(runs=runs, plays=plays, seed=seed, out=out, as_json=as_json))


@music.command()
def forget(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Forget what was learned from your presses and skips."""
    from moodify.cli.music import forget as forget_taste

    raise typer.Exit(forget_taste(config, yes=yes))
