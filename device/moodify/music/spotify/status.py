"""How the sign-in stands, by what is kept on the device: no request is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from moodify.errors import SignInNeeded

from .client import CLIENT_ID, client_id_of, shortened
from .ending import AUTHORISED_AT, REFUSED_AT, date_of, days_until, end_of, notice_of
from .scopes import Permission, missing, wanted
from .tokens import NEXT_STEP, TokenFile

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from moodify.config.model import MusicConfig


class Standing(StrEnum):
    """What the sign-in is worth."""

    SIGNED_IN = "signed in"
    ENDS_SOON = "ends soon"
    """Or on a day that is not known."""
    INCOMPLETE = "lacks a permission"
    """That the configuration asks for."""
    OTHER_APP = "for another app"
    """Than the one that is configured."""
    ENDED = "ended"
    """By the calendar, or because Spotify said so."""
    NOT_SIGNED_IN = "not signed in"


@dataclass(frozen=True, slots=True)
class SignInStatus:
    """What is known of the sign-in; holds no secret."""

    standing: Standing
    message: str | None
    """What a person should know or do; None where all is well."""
    client_id: str | None = None
    """Shortened."""
    since: datetime | None = None
    ends: datetime | None = None
    days_left: int | None = None
    scopes: tuple[str, ...] = ()
    missing: tuple[Permission, ...] = ()
    """What the configuration asks for beyond :attr:`scopes`."""

    @property
    def usable(self) -> bool:
        """Whether everything that is configured works, and nobody has to act today."""
        return self.standing in {Standing.SIGNED_IN, Standing.ENDS_SOON}

    def as_json(self) -> dict[str, Any]:
        """Return it as ``moodify spotify status --json`` prints it; days are local dates."""
        return {
            "state": self.standing.value,
            "usable": self.usable,
            "since": _day(self.since),
            "ends": _day(self.ends),
            "days_left": self.days_left,
            "client_id": self.client_id,
            "scopes": list(self.scopes),
            "missing": [permission.scope for permission in self.missing],
            "message": self.message,
        }


def status_of(music: MusicConfig, folder: Path, now: datetime) -> SignInStatus:
    """Return how the sign-in in a folder stands, for what the configuration asks."""
    tokens = TokenFile(folder)
    client_id = client_id_of(music, tokens)
    short = None if client_id is None else shortened(client_id)
    try:
        token = tokens.get_cached_token()
    except SignInNeeded as error:
        return SignInStatus(Standing.NOT_SIGNED_IN, str(error), short)
    end, lacking, message = end_of(token), missing(wanted(music), token["scope"]), notice_of(token, now)
    if client_id is None or token.get(CLIENT_ID, client_id) != client_id:
        standing, message = Standing.OTHER_APP, f"the sign-in was made with another app than the configured one, or does not say with which; {NEXT_STEP}"
    elif date_of(token, REFUSED_AT) is not None or (end is not None and end <= now):
        standing = Standing.ENDED
    elif lacking:
        standing, message = Standing.INCOMPLETE, f"the configuration asks for more than Spotify was asked for; {NEXT_STEP}"
    else:
        standing = Standing.SIGNED_IN if message is None else Standing.ENDS_SOON
    return SignInStatus(
        standing,
        message,
        short,
        since=date_of(token, AUTHORISED_AT),
        ends=end,
        days_left=None if end is None else days_until(end, now),
        scopes=tuple(sorted(token["scope"].split())),
        missing=lacking,
    )


def _day(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone().date().isoformat()
