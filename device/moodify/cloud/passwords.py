"""Where the password of a connect comes from: a token that the device signs, or the owner's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.cloud.port import Credentials
from moodify.errors import LinkDown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.cloud.identity import Identity


class SignedToken:
    """The device's own token, minted afresh for each connect."""

    def __init__(self, identity: Callable[[], Identity], audience: str, clock_trusted: Callable[[], tuple[bool, str]]) -> None:
        """Take who the device is, asked each time, for its key may have been changed meanwhile; whom tokens are for; whether the system's date can be believed, and why."""
        self._identity = identity
        self._audience = audience
        self._clock_trusted = clock_trusted

    def credentials(self, now: datetime) -> Credentials:
        """Return the device id and a token.

        Raises:
            LinkDown: the clock cannot be trusted: a token from the wrong time is refused, or good for too long.
            PersonMustAct: the device's key can't be used.
        """
        trusted, reason = self._clock_trusted()
        if not trusted:
            raise LinkDown(f"waiting for the right time before signing in: {reason}")
        identity = self._identity()
        return Credentials(identity.device, identity.token(self._audience, now))


class FixedPassword:
    """User name and password of a broker that the household already has; no password on the private broker."""

    def __init__(self, username: str, password: str | None) -> None:
        """Take both as they are configured."""
        self._credentials = Credentials(username, password)

    def credentials(self, now: datetime) -> Credentials:  # noqa: ARG002 - the port's
        """Return them."""
        return self._credentials
