"""``moodify skin forget``: a person's looks go, and none is taken any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from moodify.cli.person import typed
from moodify.cli.skin_people import opened
from moodify.cli.users import of_address

if TYPE_CHECKING:
    from pathlib import Path


def forget(config_file: Path | None, email: str, *, yes: bool) -> int:
    """Erase every look of a person and what they allowed, once that is confirmed; return the exit code.

    Raises:
        PersonMustAct: nobody could be asked.
        MoodifyError: nobody has the address, or the database can't be used.
    """
    with opened(config_file) as (people, keeping):
        user = of_address(people, email)
        who = f"{user.name} ({user.email})"
        # As an export has it: also where one of them can't be read.
        kept = keeping.exported(user.id)["skin"]
        if kept["opted_in"] is None:
            typer.echo(f"{who} has not allowed looks at their skin; nothing is kept.")
            return 0
        many = _counted(len(kept["looks"]))
        question = [f"This erases {many} at the skin of {who}, and none is taken any more until they allow it anew."]
        if not yes and not typed("forget", question, otherwise="Nothing was erased"):
            return 1
        keeping.opt_out(user.id)
    typer.echo(f"Erased: {many} at the skin of {who}." + (" What they shared is withdrawn, as soon as the appliance runs." if kept["shared"] else ""))
    typer.echo("Backups and exports that you made, and what a restore or damage has set aside, are not touched.")
    return 0


def _counted(looks: int) -> str:
    return "1 look" if looks == 1 else f"{looks} looks"
