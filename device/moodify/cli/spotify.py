"""``moodify spotify``: signs the owner in to Spotify, says how that stands, and signs out again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from moodify.cli.exits import ACT, INTERRUPTED
from moodify.cli.household import as_it_holds
from moodify.cli.person import open_terminal, require_owner
from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.errors import CannotWork, ConfigError, RetryLater, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config import Config
    from moodify.music.spotify.status import SignInStatus


def login(config_file: Path | None) -> int:
    """Ask for what signing in needs, on a machine with or without a browser; return the exit code."""
    from moodify.music.spotify.client import checked, client_id_of, shortened
    from moodify.music.spotify.login import ask_client_id
    from moodify.music.spotify.login import login as sign_in
    from moodify.music.spotify.scopes import wanted
    from moodify.music.spotify.tokens import TokenFile

    file, (config, _) = find(config_file), as_it_holds(config_file)
    spotify = config.music.spotify
    folder = folder_of(config)
    require_owner(folder)
    if spotify.client_id is not None:
        try:
            checked(spotify.client_id)
        except CannotWork as error:
            raise ConfigError(str(file), (f"music.spotify.client_id: {error}",)) from None
    terminal = open_terminal()
    try:
        client_id = client_id_of(config.music, TokenFile(folder))
        if client_id is None:
            client_id = ask_client_id(terminal, spotify.redirect_port)
        elif spotify.client_id is None:
            terminal.tell(f"With your app {shortened(client_id)}, as last time. For another one: moodify spotify logout, then login.")
        sign_in(checked(client_id), folder, permissions=wanted(config.music), redirect_port=spotify.redirect_port, terminal=terminal, timeout_s=spotify.timeout_s)
        typer.echo("A Moodify that is running plays on Spotify within some minutes.")
        # It may be another account than last time.
        _forget_songs(config, folder)
    except (KeyboardInterrupt, EOFError) as end:
        if isinstance(end, KeyboardInterrupt):
            terminal.tell()
        typer.echo("moodify: ended; nothing was changed", err=True)
        return INTERRUPTED
    return 0


def status(config_file: Path | None, *, as_json: bool) -> int:
    """Print how the sign-in stands; return 0 where it serves, else :data:`ACT`."""
    from moodify.music.spotify.status import status_of

    config, _ = as_it_holds(config_file)
    now = datetime.now(UTC)
    found = status_of(config.music, folder_of(config), now)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(found, now)
    return 0 if found.usable else ACT


def logout(config_file: Path | None) -> int:
    """Forget the sign-in and its app; return the exit code."""
    from moodify.music.spotify.tokens import FILE, TokenFile

    config = load(find(config_file))
    folder = folder_of(config)
    signed_in = False
    if folder.exists():
        require_owner(folder)
        tokens = TokenFile(folder)
        # Not while the daemon refreshes it: what it fetched would be kept after all.
        with tokens.exclusive(config.music.spotify.timeout_s):
            # What a crash left beside the file is a sign-in too.
            signed_in = any(file.name.startswith(FILE) for file in folder.iterdir())
            tokens.remove()
        _forget_songs(config, folder)
    typer.echo("Signed out here. To withdraw the permission as well: spotify.com/account/apps" if signed_in else "Nobody was signed in.")
    return 0


def _forget_songs(config: Config, folder: Path) -> None:
    """Forget which songs the account has; what was imported stays."""
    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.catalogue.file import FILE

    if not (folder / FILE).exists():
        return
    try:
        with Catalogue(folder / FILE, most=config.music.catalogue_max) as catalogue:
            catalogue.forget_account()
    except (RetryLater, StoreError) as error:
        typer.echo(f"The songs of this account stay in {folder / FILE} ({error}); delete it to forget them.", err=True)


def _print(found: SignInStatus, now: datetime) -> None:
    from moodify.music.spotify.ending import when

    rows = {
        "sign-in": found.standing.value if found.since is None else f"{found.standing.value}, since {found.since.astimezone().date().isoformat()}",
        "ends": "not known" if found.scopes and found.ends is None else "" if found.ends is None else when(found.ends, now),
        "app": found.client_id or "",
        "permissions": ", ".join(found.scopes),
        "missing": "; ".join(f"{permission.scope}, {permission.why}" for permission in found.missing),
    }
    for name, value in rows.items():
        if value:
            typer.echo(f"{name:<13}{value}")
    if found.message is not None:
        typer.echo(f"moodify: {found.message}", err=True)
