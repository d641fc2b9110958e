"""The commands of ``moodify``, and how errors end them: one clear line on stderr and an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from moodify import __version__
from moodify.errors import MoodifyError

app = typer.Typer(
    name="moodify",
    help="A mood-reactive music appliance: sees the room's mood on the device, and plays music that fits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
hub = typer.Typer(help="What runs beside the broker.", no_args_is_help=True)
app.add_typer(hub, name="hub")
spotify = typer.Typer(help="The sign-in to Spotify.", no_args_is_help=True)
app.add_typer(spotify, name="spotify")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration to read; default: $MOODIFY_CONFIG, /etc/moodify/moodify.toml, ~/.config/moodify/moodify.toml, or the defaults."),
]


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
    """Print the configuration as it holds, with secrets masked."""
    from moodify.config import document, find, load

    typer.echo(document.annotated() if annotated else document.effective(load(find(config))), nl=False)


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


@hub.command()
def listen(
    broker: Annotated[Path | None, typer.Option(metavar="FILE", help="broker.json of a running appliance's private broker; default: the configured data folder's.")] = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print the events that devices send, each once, as JSON lines."""
    from moodify.cli.hub import listen as listen_to_broker

    raise typer.Exit(listen_to_broker(broker, seconds=seconds, config_file=config))


def main() -> None:
    """Run the command line; the entry point of the ``moodify`` program."""
    try:
        app()
    except MoodifyError as error:
        sys.stderr.write(f"moodify: {error}\n")
        raise SystemExit(error.exit_code) from None
