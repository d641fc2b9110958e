"""The commands of ``moodify``, and how errors end them: one clear line on stderr and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Literal

import typer

from moodify import __version__
from moodify.cli.commands import Commands
from moodify.cli.data_commands import data
from moodify.cli.device_commands import device
from moodify.cli.hub_commands import hub
from moodify.cli.models_commands import models
from moodify.cli.music_commands import music, spotify
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
app.add_typer(spotify, name="spotify")
app.add_typer(music, name="music")
app.add_typer(models, name="models")


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
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
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
