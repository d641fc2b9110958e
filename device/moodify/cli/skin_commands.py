"""The commands of ``moodify skin``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from moodify.cli.commands import Commands
from moodify.cli.options import ConfigOption, JsonFlag  # noqa: TC001 - Typer reads the annotations

skin = Commands(help="The face record: looks at the skin of those who asked for them. Cosmetic; no diagnosis.", no_args_is_help=True)

_EMAIL = "The address that they sign in with."


@skin.command()
def scan(
    email: Annotated[str, typer.Option(metavar="ADDRESS", help=_EMAIL)],
    camera: Annotated[
        str | None, typer.Option(metavar="auto|pi|usb[:N]|sample|FILE|FOLDER", help="Where frames come from where the appliance does not run; default: as configured.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Whether the look is kept for their history.")] = True,  # noqa: FBT002 - a flag of the command line
    password_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Their password, on its first line; default: it is asked for.")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - likewise
    config: ConfigOption = None,
) -> None:
    """Look at the skin of a person who has allowed it: three shots, measured at once; numbers stay, pixels don't."""
    from moodify.cli.skin_scan import scan as scan_skin

    raise typer.Exit(scan_skin(config, email, camera=camera, keep=keep, password_file=password_file, as_json=as_json))


@skin.command()
def history(
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help=f"{_EMAIL} Default: everybody who has allowed looks.")] = None,
    as_json: JsonFlag = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Show the looks that are kept, and where they go, with how sure that is. Works while the appliance runs, too."""
    from moodify.cli.skin_history import history as show_history

    raise typer.Exit(show_history(config, email, as_json=as_json))


@skin.command()
def card(
    file: Annotated[Path, typer.Argument(metavar="FILE.pdf", help="File to write; there is none of that name.")],
    print_number: Annotated[int, typer.Option("--print", metavar="N", min=0, help="Which print it is, 0 to 11: another one for each that you make.")] = 0,
) -> None:
    """Write the reference card to be printed; with it in view, redness and tone can be measured."""
    from moodify.cli.skin_card import card as write_card

    raise typer.Exit(write_card(file, print_number))


@skin.command()
def forget(
    email: Annotated[str, typer.Option(metavar="ADDRESS", help=_EMAIL)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,  # noqa: FBT002 - a flag of the command line
    config: ConfigOption = None,
) -> None:
    """Erase every look of a person; none is taken any more until they allow it anew."""
    from moodify.cli.skin_forget import forget as forget_one

    raise typer.Exit(forget_one(config, email, yes=yes))
