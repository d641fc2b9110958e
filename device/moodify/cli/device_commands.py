"""The commands of ``moodify device``."""

from __future__ import annotations

from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

device = Commands(help="Who this device is, and the hub that it belongs to.", no_args_is_help=True)


@device.command()
def show(
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Say who this device is, where it goes with what it has to say, and how it signs in there."""
    from moodify.cli.device import show as show_device

    raise typer.Exit(show_device(config, as_json=as_json))


@device.command()
def enroll(
    hub: Annotated[
        str | None, typer.Argument(metavar="HUB[:PORT]", help="Name or address of the hub; default: those that are heard on the network are offered.", show_default=False)
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(metavar="sha256:…", help="Fingerprint of its certificate, as moodify hub status shows it on the hub; default: you are asked.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make this device belong to a hub: show the line that lets it in there, and keep the hub's certificate."""
    from moodify.cli.device_enroll import enroll as enroll_device

    raise typer.Exit(enroll_device(config, hub, fingerprint=fingerprint))


@device.command()
def rotate(config: ConfigOption = None) -> None:
    """Change the device's key for a new one, once the hub knows that."""
    from moodify.cli.device import rotate as rotate_key

    raise typer.Exit(rotate_key(config))


@device.command("forget")
def forget_hub(config: ConfigOption = None) -> None:
    """Forget the hub that this device belongs to; its key and id stay."""
    from moodify.cli.device import forget

    raise typer.Exit(forget(config))
