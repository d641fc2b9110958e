"""``moodify spotify``: signs the owner in to Spotify, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from moodify.config import find, load
from moodify.daemon.places import folder_of
from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from pathlib import Path


def login(config_file: Path | None) -> int:
    """Ask for what signing in needs, on a machine with or without a browser; return the exit code."""
    from moodify.music.spotify.signin import login as sign_in

    config = load(find(config_file))
    spotify = config.music.spotify
    if spotify.client_id is None:
        raise PersonMustAct(
            "music.spotify.client_id is not set; make an app of your own at developer.spotify.com "
            f"with the redirect URI http://127.0.0.1:{spotify.redirect_port}/callback, and write its client id into moodify.toml"
        )
    sign_in(spotify.client_id, folder_of(config), redirect_port=spotify.redirect_port, ask=typer.prompt, tell=typer.echo, timeout_s=spotify.timeout_s)
    return 0


def logout(config_file: Path | None) -> int:
    """Forget the sign-in; return the exit code."""
    from moodify.music.spotify.tokens import TokenFile

    TokenFile(folder_of(load(find(config_file)))).remove()
    typer.echo("Signed out here. To withdraw the permission as well: spotify.com/account/apps")
    return 0
