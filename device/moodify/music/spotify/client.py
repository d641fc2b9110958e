"""The owner's own Spotify app: its client id, which is no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moodify.errors import CannotWork, SignInNeeded

if TYPE_CHECKING:
    from moodify.config.model import MusicConfig

    from .ending import Tokens

#: Key of a kept token: the app that it was given to. A refresh token is good for that app alone.
CLIENT_ID = "client_id"
_FORM = re.compile(r"[0-9a-f]{32}")


def checked(client_id: str) -> str:
    """Return a client id as it is sent.

    Raises:
        CannotWork: it can't be one.
    """
    found = client_id.strip().lower()
    if _FORM.fullmatch(found) is None:
        what = f"has {len(found)}" if re.fullmatch(r"[0-9a-f]*", found) else "has others"
        raise CannotWork(f"a client id has 32 characters from 0-9 and a-f, and this {what}; copy it again from your app's page at developer.spotify.com")
    return found


def shortened(client_id: str) -> str:
    """Return enough of a client id to know it again."""
    return f"{client_id[:4]}…{client_id[-4:]}" if len(client_id) > 8 else client_id  # noqa: PLR2004 - nothing would be left out


def client_id_of(music: MusicConfig, tokens: Tokens) -> str | None:
    """Return the configured client id, else the one that is kept with the sign-in; None where there is neither."""
    if music.spotify.client_id is not None:
        return music.spotify.client_id
    try:
        kept = tokens.get_cached_token().get(CLIENT_ID)
    except SignInNeeded:
        return None
    return kept if isinstance(kept, str) else None
