"""The commands about all that the appliance keeps: ``moodify backup``, ``restore``, ``export`` and ``erase``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption  # noqa: TC001 - Typer reads the annotations

data = Commands()


@data.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; an older backup there is replaced.")],
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Also the device's key, its hub, the sign-in to Spotify, accounts, and looks at people's skin.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Write history, taste, songs and settings into one file, while the appliance runs."""
    from moodify.cli.data_backup import backup as back_up

    raise typer.Exit(back_up(config, file, with_keys=with_keys))


@data.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What moodify backup wrote.")],
    config: ConfigOption = None,
) -> None:
    """Go on from a backup; what was there is set aside. The appliance must not run."""
    from moodify.cli.data_restore import restore as put_back

    raise typer.Exit(put_back(config, file))


@data.command()
def export(
    target: Annotated[Path, typer.Argument(metavar="FOLDER|FILE.zip", help="An empty or new folder, or a new zip file.")],
    config: ConfigOption = None,
) -> None:
    """Write what is kept as JSON and CSV that people and other programs can read; no keys."""
    from moodify.cli.data_export import export as write_out

    raise typer.Exit(write_out(config, target))


@data.command()
def erase(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Erase all that the appliance keeps: history, songs, keys and sign-ins. It must not run."""
    from moodify.cli.data_erase import erase as erase_all

    raise typer.Exit(erase_all(config, yes=yes))
