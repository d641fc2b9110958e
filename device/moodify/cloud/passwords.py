"""Where the password of a connect comes from: a token that the device signs, or a file of the owner's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.cloud.identity import TOKEN_LIFETIME
from moodify.cloud.port import Credentials
from moodify.errors import LinkDown, PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from moodify.cloud.identity import Identity

#: A user name and a password, which MQTT allows 65,535 bytes each (MQTT 5.0, 1.5.4), and their line ends.
_LONGEST = 2 * 65_537


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
        return Credentials(identity.device, identity.token(self._audience, now), now + TOKEN_LIFETIME)


class SignInFile:
    """User name and password of a broker that the household already has: the two lines of a file that only its owner may read.

    It is read at each connect, so a new password counts from the next one on.
    """

    def __init__(self, path: Path) -> None:
        """Take the file; nothing is read yet."""
        self._path = path

    def credentials(self, now: datetime) -> Credentials:  # noqa: ARG002 - the port's
        """Return what the file says.

        Raises:
            PersonMustAct: it is missing, can't be read, others may read it, or it has not two lines.
        """
        path = self._path
        try:
            mode = path.stat().st_mode & 0o777
            with path.open("rb") as file:
                content = file.read(_LONGEST + 1)
        except FileNotFoundError as error:
            raise PersonMustAct(f"the sign-in file {path} (link.sign_in_file) is not there; make it with the user name on its first line and the password on its second") from error
        except OSError as error:
            raise PersonMustAct(f"the sign-in file {path} (link.sign_in_file): {error.strerror}; give it to the user that runs Moodify") from error
        if mode & 0o077:
            raise PersonMustAct(f"others may read the sign-in file {path} (mode {mode:04o}); if nobody has copied the password run: chmod 600 {path}")
        try:
            username, password = _lines(content)
        except ValueError:
            # Without its cause: that one may show what is in the file.
            raise PersonMustAct(f"the sign-in file {path} has not two lines of text; write the user name on the first and the password on the second, and nothing else") from None
        return Credentials(username, password)


def _lines(content: bytes) -> tuple[str, str]:
    # Editors of some systems end lines with CR LF, or begin a file with a mark.
    text = content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    username, password = text.split("\n")
    if not username or not password or len(content) > _LONGEST:
        raise ValueError("a line is empty, or too long")
    return username, password
