"""Where the sign-in is kept: in a file that no power cut loses, or in memory."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from spotipy.cache_handler import CacheHandler

from moodify.errors import SignInNeeded, SpeakerUnavailable
from moodify.files import beside, put_in_place, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

logger = logging.getLogger(__name__)

FILE = "spotify-token.json"
NEXT_STEP = "sign in with: moodify spotify login"
#: How often, in seconds, a lock that another process holds is tried.
_LOCK_PAUSE_S = 0.02


class TokenFile(CacheHandler):  # type: ignore[misc] # spotipy has no types
    """Access and refresh token, the app they belong to and the day they were given, in a 0600 file.

    A refresh token works once, so the newest one must survive a crash at any moment: what a crash left beside the file is
    adopted at the next reading, and what could not be written (a full disk) is held in memory and written again at the next
    chance. Thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._unwritten: dict[str, Any] | None = None
        self._superseded: dict[str, Any] | None = None

    def get_cached_token(self) -> dict[str, Any]:
        """Return the newest tokens.

        Raises:
            SignInNeeded: there is no file, or it is damaged.
        """
        with self._lock:
            try:
                if self._unwritten is not None:
                    self._write_again(self._unwritten)
                if self._unwritten is not None:
                    return self._unwritten
                if _read(beside(self.path)) is not None:
                    put_in_place(self.path)
                token = _read(self.path)
            except OSError as error:
                raise self._unusable(error) from error
            if token is None:
                damaged = f": {self.path.name} is damaged" if self.path.exists() else ""
                raise SignInNeeded(f"not signed in to Spotify{damaged}; {NEXT_STEP}")
            return token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Keep new tokens; a write that fails is logged and tried again."""
        with self._lock:
            self._write(token_info)

    @property
    def written(self) -> bool:
        """Whether the newest tokens are on the disk."""
        with self._lock:
            return self._unwritten is None

    def remove(self) -> None:
        """Forget the sign-in. Signed out already is done.

        Raises:
            SignInNeeded: it can't be removed.
        """
        with self._lock:
            self._unwritten = None
            try:
                beside(self.path).unlink(missing_ok=True)
                self.path.unlink(missing_ok=True)
            except OSError as error:
                raise self._unusable(error) from error

    @contextmanager
    def exclusive(self, within_s: float) -> Iterator[None]:
        """Keep the device's other processes from renewing, replacing or removing the sign-in meanwhile.

        The folder itself is locked, for the file is replaced by every writing. Not for calls within one another.

        Raises:
            SpeakerUnavailable: another process holds it for so long.
            SignInNeeded: the folder can't be opened.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            until_s = time.monotonic() + within_s
            while not _locked(folder):
                if time.monotonic() >= until_s:
                    raise SpeakerUnavailable("another Moodify on this device has been renewing the Spotify sign-in for long; trying again later")
                time.sleep(_LOCK_PAUSE_S)
            yield
        finally:
            os.close(folder)

    def _unusable(self, error: OSError) -> SignInNeeded:
        return SignInNeeded(f"{self.path} can't be used ({error.strerror}); fix its owner and mode, or {NEXT_STEP}")

    def _write_again(self, token: dict[str, Any]) -> None:
        if _read(self.path) != self._superseded:
            # Somebody has signed in or out meanwhile, which is newer.
            self._unwritten = None
        else:
            self._write(token)

    def _write(self, token: dict[str, Any]) -> None:
        try:
            write_private(self.path, json.dumps(token).encode())
        except OSError as error:
            if self._unwritten is None:
                logger.error("the Spotify sign-in can't be written to %s (%s); free some space, or it is lost at the next start", self.path, error.strerror)  # noqa: TRY400 - the reason says all
            self._unwritten, self._superseded = token, _readable(self.path)
        else:
            self._unwritten = None


class MemoryTokens(CacheHandler):  # type: ignore[misc] # spotipy has no types
    """A sign-in that lasts as long as the process, as for the simulated speaker. For one :class:`~.signin.SignIn`."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._token: dict[str, Any] | None = None

    def get_cached_token(self) -> dict[str, Any]:
        """Return the newest tokens; SignInNeeded where there are none."""
        if self._token is None:
            raise SignInNeeded(f"not signed in to Spotify; {NEXT_STEP}")
        return self._token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Keep new tokens."""
        self._token = token_info

    def exclusive(self, within_s: float) -> AbstractContextManager[None]:  # noqa: ARG002 - as TokenFile's
        """Do nothing: no other process sees them."""
        return nullcontext()


def whole(token: object) -> bool:
    """Return whether a value is a sign-in that can be used and refreshed."""
    return isinstance(token, dict) and all(isinstance(token.get(key), str) for key in ("access_token", "refresh_token", "scope")) and isinstance(token.get("expires_at"), int)


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> dict[str, Any] | None:
    """Return the tokens of a file; None where there is none or it is not whole."""
    try:
        token = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return token if whole(token) else None


def _readable(path: Path) -> dict[str, Any] | None:
    try:
        return _read(path)
    except OSError:
        return None
