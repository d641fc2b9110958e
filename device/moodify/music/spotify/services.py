"""Where Spotify is: its own addresses, or those of the simulated service."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from moodify.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In the environment: address of a simulated service on this machine, to try the sign-in out without an account.
VARIABLE = "MOODIFY_SPOTIFY_AT"


#: Where owners agree, and tokens come from.
ACCOUNTS_URL = "https://accounts.spotify.com"
#: The Web API.
API_URL = "https://api.spotify.com/v1/"


@dataclass(frozen=True, slots=True)
class Services:
    """The two addresses that everything is asked at."""

    accounts_url: str = ACCOUNTS_URL
    """Where owners agree, and tokens come from."""
    api_url: str = API_URL
    """The Web API, ending with ``/v1/``."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Return Spotify's, or those of the service on this machine that :data:`VARIABLE` names.

        Raises:
            ConfigError: it names no address of this machine: tokens would go there.
        """
        if not (named := environment.get(VARIABLE)):
            return cls()
        try:
            parts = urlsplit(named)
            loopback = parts.scheme == "http" and parts.port is not None and ipaddress.ip_address(parts.hostname or "").is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ConfigError(VARIABLE, (f"{named} is no address of this machine; write http://127.0.0.1:PORT of the simulated service, or leave the variable out",))
        return cls(named.rstrip("/"), f"{named.rstrip('/')}/v1/")
