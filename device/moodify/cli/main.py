"""The commands of ``moodify``, and how errors end them: one clear line on stderr and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from moodify import __version__
from moodify.cli.commands import Commands
from moodify.cli.data_commands import data
from moodify.cli.device_commands import device
from moodify.cli.hub_commands import hub
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations
from moodify.cli.skin_commands import skin
from moodify.cli.users_commands import users
from moodify.errors import MoodifyError, RetryLater

app = Commands(
    name="moodify",
    help="A mood-reactive music appliance: sees the room's mood on the device, and plays music that fits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data)
app.add_typer(device, name="device")
app.add_typer(hub, name="hub")
app.add_typer(users, name="users")
app.add_typer(skin, name="skin")
spotify = Commands(help="The sign-in to Spotify.", no_args_is_help=True)
app.add_typer(spotify, name="spotify")
music = Commands(help="What plays and why, playlists, and where music comes from.", no_args_is_help=True)
app.add_typer(music, name="music")
models = Commands(help="The models: which there are, whether they are whole, how good they are.", no_args_is_help=True)
app.add_typer(models, name="models")
evaluate = Commands(help="Measure a model on pictures whose faces are known.", no_args_is_help=True)
models.add_typer(evaluate, name="eval")


def _version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        typer.echo(f"moodify {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False) -> None:  # noqa: FBT002 - a flag of the command line
    pass


@app.command()
def run(
    config: ConfigOption = None,
    camera: Annotated[str | None, typer.Option(metavar="auto|pi|usb[:N]|sample|FILE|FOLDER", help="Where frames come from; default: as configured.")] = None,
    speaker: Annotated[Literal["auto", "spotify", "simulated"] | None, typer.Option(help="Where the music plays; default: as configured.")] = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds; default: run until Ctrl-C.")] = None,
    events: Annotated[str | None, typer.Option(metavar="FILE|-", help="Write every event as one JSON line to a file, or - for standard output.")] = None,
    pace: Annotated[float, typer.Option(metavar="N", min=0, help="Play a recording N times as fast; 0 as fast as possible.")] = 1.0,
) -> None:
    """Run the appliance."""
    from moodify.cli.run import run as run_appliance

    raise typer.Exit(run_appliance(config_file=config, camera=camera, speaker=speaker, seconds=seconds, events=events, pace=pace))


@app.command()
def scan(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE…", help="Picture files to look at.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Look for faces in pictures and tell the emotions on them."""
    from moodify.cli.scan import scan as scan_pictures

    raise typer.Exit(scan_pictures(pictures, as_json=as_json, config_file=config))


@app.command()
def check(config: ConfigOption = None) -> None:
    """Check every part of the appliance and say what to do."""
    from moodify.cli.check import check as check_parts

    raise typer.Exit(check_parts(config))


@app.command("config")
def show_config(
    config: ConfigOption = None,
    annotated: Annotated[bool, typer.Option("--annotated", help="Print every key with its meaning and default instead.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print the configuration as it holds, with secrets masked, and what of it was set on the page."""
    from moodify.cli.household import as_it_holds
    from moodify.config import document

    if annotated:
        typer.echo(document.annotated(), nl=False)
        return
    holds, from_page = as_it_holds(config)
    typer.echo(document.effective(holds, from_page=from_page), nl=False)


@app.command()
def privacy(
    wish: Annotated[Literal["on", "off", "status"], typer.Argument(metavar="on|off|status", help="on closes the camera, off lets it look again.")] = "status",
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Close the camera, let it look again, or say how that stands, also while the appliance runs."""
    from moodify.cli.privacy import privacy as set_privacy

    raise typer.Exit(set_privacy(wish, config, as_json=as_json))


@app.command()
def notice(
    language: Annotated[Literal["en", "de"] | None, typer.Option(help="en or de; default: both.")] = None,
    as_html: Annotated[bool, typer.Option("--html", help="A page for a browser to print, a sheet for each language: moodify notice --html > notice.html")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Print a notice for visitors, to be put up where they see it."""
    from moodify.cli.notice import notice as print_notice

    raise typer.Exit(print_notice(language, config, as_html=as_html))


@spotify.command()
def login(config: ConfigOption = None) -> None:
    """Sign in to Spotify, with an app of your own; any phone or computer opens the link."""
    from moodify.cli.spotify import login as sign_in

    raise typer.Exit(sign_in(config))


@spotify.command()
def status(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say the mood, what plays and what comes next, and how old that news is."""
    from moodify.cli.music_now import now as tell_now

    raise typer.Exit(tell_now(config, as_json=as_json))


@music.command()
def why(
    last: Annotated[int, typer.Option(metavar="N", min=1, max=500, help="How many decisions to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say what was decided last, and the reasons."""
    from moodify.cli.music_now import why as tell_why

    raise typer.Exit(tell_why(config, last=last, as_json=as_json))


@music.command()
def moods(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Make a playlist for a mood, with the reason for each song; look at it, play it or save it."""
    from moodify.cli.music_playlist import playlist as make_playlist

    raise typer.Exit(make_playlist(mood, person=person, length=length, play=play, save=save, as_json=as_json, config_file=config))


@music.command("import")
def import_music(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV files that Exportify wrote of playlists.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002 - a flag of the command line
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


PlotsOption = Annotated[Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw the figures as PNG files into a folder; needs matplotlib.")]
ModelsOption = Annotated[Path | None, typer.Option("--models", metavar="FOLDER", help="Models to measure; default: as configured, or those that ship.")]


@models.command("list")
def list_models(as_json: JsonFlag = False, config: ConfigOption = None) -> None:  # noqa: FBT002 - a flag of the command line
    """List the models that ship and your own."""
    from moodify.cli.models import list_models as list_all

    raise typer.Exit(list_all(as_json=as_json, config_file=config))


@models.command()
def verify(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER|FILE]…", help="Folders with models, or single models; default: those in use.")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Check models against their manifests, count their work, and measure their memory."""
    from moodify.cli.models import verify as verify_models

    raise typer.Exit(verify_models(paths or [], as_json=as_json, config_file=config))


@evaluate.command()
def emotion(
    file: Annotated[Path, typer.Argument(metavar="FILE.npz", help="Faces with FER+ votes: arrays pixels, ferplus_votes, vote_columns.")],
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    plots: PlotsOption = None,
    folder: ModelsOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure the emotion classifier on labelled faces."""
    from moodify.cli.models import evaluate_emotion

    raise typer.Exit(evaluate_emotion(file, as_json=as_json, plots=plots, models=folder, config_file=config))


@evaluate.command()
def detector(
    pictures: Annotated[Path, typer.Argument(metavar="FOLDER", help="Pictures.")],
    annotations: Annotated[
        Path | None, typer.Argument(metavar="[ANNOTATIONS.jsonl]", help="What is in them, a JSON object a line; default: no picture has a face.", show_default=False)
    ] = None,
    negatives: Annotated[Path | None, typer.Option(metavar="FOLDER", help="More pictures, without a face.")] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="X", min=0.02, max=0.99, help="Confidence from which a face counts; default: as configured, or the model's own.")
    ] = None,
    per_100: Annotated[
        float | None, typer.Option("--fp-per-100", metavar="N", min=0, help="Take the lowest threshold at which at most N in 100 pictures without a face show one.")
    ] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    plots: PlotsOption = None,
    folder: ModelsOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure the face detector on pictures whose faces are known."""
    from moodify.cli.models import evaluate_detector

    raise typer.Exit(
        evaluate_detector(pictures, annotations, negatives=negatives, threshold=threshold, per_100=per_100, as_json=as_json, plots=plots, models=folder, config_file=config)
    )


def main() -> None:
    """Run the command line; the entry point of the ``moodify`` program."""
    try:
        app()
    except MoodifyError as error:
        sys.stderr.write(f"moodify: {error}\n")
        raise SystemExit(error.exit_code) from None
    except (MemoryError, ImportError, RuntimeError) as error:
        if not _wants_memory(error):
            raise
        sys.stderr.write("moodify: there is not enough memory; end other programs, or restart the device, and try again\n")
        raise SystemExit(RetryLater.exit_code) from None


def _wants_memory(error: BaseException) -> bool:
    """Return whether it came of too little memory: a library that does not fit in is an ImportError, in the words of the C library, a thread's stack a RuntimeError."""
    here: BaseException | None = error
    while here is not None:
        if isinstance(here, MemoryError) or any(words in str(here) for words in ("failed to map segment", "can't start new thread")):
            return True
        here = here.__cause__ or here.__context__
    return False
