"""The commands of ``moodify users``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

users = Commands(help="Who may sign in to the page, or to a hub's dashboard. Works while it runs, too.", no_args_is_help=True)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The address that they sign in with.")]
HubOption = Annotated[Path | None, typer.Option("--hub", metavar="FOLDER", help="The accounts of the hub in a folder, instead of this appliance's.")]


@users.command("list")
def list_users(as_json: JsonFlag = False, hub: HubOption = None, config: ConfigOption = None) -> None:  # noqa: FBT002 - a flag of the command line
    """List who has an account, and open invitations."""
    from moodify.cli.users import list_users as list_all

    raise typer.Exit(list_all(config, hub, as_json=as_json))


@users.command()
def invite(
    first_name: Annotated[str, typer.Argument(metavar="NAME", help="What you call them.")],
    owner: Annotated[bool, typer.Option("--owner", help="They shall be an owner, who may do everything.")] = False,  # noqa: FBT002 - a flag of the command line
    hub: HubOption = None,
    config: ConfigOption = None,
) -> None:
    """Print a code with which somebody makes an account; it holds for seven days, once."""
    from moodify.cli.users import invite as invite_one

    raise typer.Exit(invite_one(config, hub, first_name, owner=owner))


@users.command()
def remove(
    email: EmailArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    hub: HubOption = None,
    config: ConfigOption = None,
) -> None:
    """Erase an account and sign it out everywhere; the last owner stays."""
    from moodify.cli.users import remove as remove_one

    raise typer.Exit(remove_one(config, hub, email, yes=yes))


@users.command()
def reset(email: EmailArgument, hub: HubOption = None, config: ConfigOption = None) -> None:
    """Set somebody's password, let them in where they may not sign in, and sign them out everywhere else. It is asked for, or read from standard input."""
    from moodify.cli.users import reset as reset_one

    raise typer.Exit(reset_one(config, hub, email))


@users.command()
def code(hub: HubOption = None, config: ConfigOption = None) -> None:
    """Print a new code for the first owner, while there is none; the one before holds no longer."""
    from moodify.cli.users import code as make_code

    raise typer.Exit(make_code(config, hub))
