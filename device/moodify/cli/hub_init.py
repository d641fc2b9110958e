"""``moodify hub init``: makes what a hub needs, and says what comes next."""

from __future__ import annotations

import ipaddress
import shlex
from typing import TYPE_CHECKING

import typer

from moodify.cli.hub_words import enrolment_line, install_hint
from moodify.hub.folder import hub_folder

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.hub.config import HubConfig


def _who_may_come(config: HubConfig) -> str:
    if ipaddress.ip_address(config.host).is_loopback:
        return f"come in from this machine alone, at port {config.port}; host in hub.toml changes that."
    announced = ", and the hub makes itself known there" if config.announce else ""
    return f"come in from the whole network at port {config.port}{announced}, but only those that you let in; host and announce in hub.toml change that."


def init(path: Path | None, *, new_token: bool) -> int:
    """Make what is missing and print what a person needs of it; return the exit code."""
    with install_hint():
        from moodify.hub.setup import initialise

    folder = hub_folder(path)
    done = initialise(folder, another_token=new_token)
    if done.made:
        typer.echo(f"The hub's folder is {folder.path}. Made: {', '.join(sorted(file.name for file in done.made))}")
    else:
        typer.echo(f"The hub in {folder.path} is ready; nothing was changed.")
    if done.fingerprint is not None:
        typer.echo(f"Fingerprint:  {done.fingerprint}")
    if done.token is not None:
        typer.echo(f"Admin token:  {done.token}")
        typer.echo("              Shown this once and kept nowhere; for another one: moodify hub init --new-token")
    named = "" if path is None else f" --folder {shlex.quote(str(folder.path))}"
    typer.echo(f"Devices:      {_who_may_come(done.config)}")
    typer.echo("\nNext:")
    typer.echo(f"  look at {folder.config}")
    typer.echo(f"  start the hub:       moodify hub serve{named}")
    typer.echo(f"  at each device:      {enrolment_line(folder, done.config, done.fingerprint)}")
    typer.echo(f"  then here:           moodify hub enroll ID KEY{named}   (the device prints this line)")
    return 0
