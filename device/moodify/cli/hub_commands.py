"""The commands of ``moodify hub``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

hub = Commands(help="A hub: takes in what devices say, keeps it, and sends them commands.", no_args_is_help=True)

FolderOption = Annotated[Path | None, typer.Option("--folder", metavar="FOLDER", help="Folder of the hub; default: $STATE_DIRECTORY, or ~/.local/share/moodify-hub.")]
DeviceArgument = Annotated[str, typer.Argument(metavar="ID", help="The device's id, as moodify device show prints it on the device.")]


@hub.command()
def init(
    folder: FolderOption = None,
    new_token: Annotated[bool, typer.Option("--new-token", help="Make another admin token; the one before is good no more.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make what a hub needs: configuration, certificate, admin token. Leaves what is there."""
    from moodify.cli.hub_init import init as init_hub

    raise typer.Exit(init_hub(folder, new_token=new_token))


@hub.command()
def serve(
    folder: FolderOption = None,
    beside: Annotated[bool, typer.Option("--beside", help="For the appliance itself: on loopback, without TLS, on free ports, until standard input ends.")] = False,  # noqa: FBT002 - a flag of the command line
    enrol: Annotated[Path | None, typer.Option("--enrol", metavar="FILE", help="Let in the device whose public key is in a file.")] = None,
    retention_days: Annotated[int | None, typer.Option("--retention-days", metavar="N", min=1, max=3650, help="Days to keep history; else as configured.")] = None,
) -> None:
    """Run the hub until Ctrl-C or SIGTERM."""
    from moodify.cli.hub_serve import serve as serve_hub

    serve_hub(folder, beside=beside, enrol=enrol, retention_days=retention_days)


@hub.command()
def collect(folder: FolderOption = None) -> None:
    """Store what devices say, beside a hub that runs on the same folder, until Ctrl-C: one more process to share the work."""
    from moodify.cli.hub_serve import collect as collect_for_hub

    raise typer.Exit(collect_for_hub(folder))


@hub.command()
def enroll(
    device: DeviceArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its public key: what moodify device enroll prints on the device, or a file with it.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What people call it; default: its id.")] = None,
    folder: FolderOption = None,
) -> None:
    """Let a device in, and say what is to be done at the device."""
    from moodify.cli.hub_devices import enroll as enroll_device

    raise typer.Exit(enroll_device(folder, device, key, name=name))


@hub.command()
def devices(as_json: JsonFlag = False, folder: FolderOption = None) -> None:  # noqa: FBT002 - a flag of the command line
    """List the devices that were let in, and which of them are online."""
    from moodify.cli.hub_devices import devices as list_devices

    raise typer.Exit(list_devices(folder, as_json=as_json))


@hub.command()
def revoke(
    device: DeviceArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    folder: FolderOption = None,
) -> None:
    """Shut a device out at once; its history stays."""
    from moodify.cli.hub_devices import revoke as revoke_device

    raise typer.Exit(revoke_device(folder, device, yes=yes))


@hub.command()
def erase(
    device: DeviceArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    folder: FolderOption = None,
) -> None:
    """Erase a device here: the device, its keys, and all that it ever said."""
    from moodify.cli.hub_devices import erase as erase_device

    raise typer.Exit(erase_device(folder, device, yes=yes))


@hub.command()
def status(as_json: JsonFlag = False, folder: FolderOption = None) -> None:  # noqa: FBT002 - a flag of the command line
    """Say how the hub and its parts stand; exits 3 when somebody has to act."""
    from moodify.cli.hub_status import status as tell_status

    raise typer.Exit(tell_status(folder, as_json=as_json))


@hub.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write. It holds keys: keep it as you would keep one.")],
    folder: FolderOption = None,
) -> None:
    """Write database, configuration, certificate and the admin token's hash into one file; the hub may run."""
    from moodify.cli.hub_backup import backup as back_up

    raise typer.Exit(back_up(folder, file))


@hub.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What moodify hub backup wrote.")],
    folder: FolderOption = None,
) -> None:
    """Make a hub from a backup, in a folder where there is none; devices go on without being enrolled anew."""
    from moodify.cli.hub_backup import restore as put_back

    raise typer.Exit(put_back(folder, file))


@hub.command()
def listen(
    folder: FolderOption = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0, help="End after so many seconds.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print the events that devices send, each once, as JSON lines."""
    from moodify.cli.hub_listen import listen as listen_to_devices

    raise typer.Exit(listen_to_devices(folder, seconds=seconds, config_file=config))
