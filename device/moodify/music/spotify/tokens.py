"""The file that holds the sign-in: written so that no power cut loses it."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from spotipy.cache_handler import CacheHandler

from moodify.errors import SignInNeeded
from moodify.files import beside, put_in_place, write_private

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

FILE = "spotify-token.json"
NEXT_STEP = "sign in with: moodify spotify login"


class TokenFile(CacheHandler):  # type: ignore[misc] # spotipy has no types
    """Access and refresh token in a 0600 file.

    A refresh token works once, so the newest one must survive a crash at any moment: what a crash left beside the file is
    adopted at the next reading, and what could not be written (a full disk) is held in memory and written again at the next
    chance. Thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._unwritten: dict[str, Any] | None = None

    def get_cached_token(self) -> dict[str, Any]:
        """Return the newest tokens.

        Raises:
            SignInNeeded: there is no file, or it is damaged.
        """
        with self._lock:
            if self._unwritten is not None:
                self._write(self._unwritten)
            if self._unwritten is not None:
                return self._unwritten
            try:
                if _read(beside(self.path)) is not None:
                    put_in_place(self.path)
                token = _read(self.path)
            except OSError as error:
                raise SignInNeeded(f"{self.path} can't be used ({error.strerror}); fix its owner and mode, or {NEXT_STEP}") from error
            if token is None:
                what = "is damaged" if self.path.exists() else "does not exist"
                raise SignInNeeded(f"not signed in to Spotify: {self.path} {what}; {NEXT_STEP}")
            return token

    def save_token_to_cache(self, token_info: dict[str, Any]) -> None:
        """Keep new tokens; a write that fails is logged and tried again."""
        with self._lock:
            self._write(token_info)

    def remove(self) -> None:
        """Forget the sign-in. Signed out already is done."""
        with self._lock:
            self._unwritten = None
            beside(self.path).unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _write(self, token: dict[str, Any]) -> None:
        try:
            write_private(self.path, json.dumps(token).encode())
        except OSError as error:
            if self._unwritten is None:
                logger.error("the Spotify sign-in can't be written to %s (%s); free some space, or it is lost at the next start", self.path, error.strerror)  # noqa: TRY400 - the reason says all
            self._unwritten = token
        else:
            self._unwritten = None


def _read(path: Path) -> dict[str, Any] | None:
    """Return the tokens of a file; None where there is none or it is not whole."""
    try:
        token = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    whole = isinstance(token, dict) and all(isinstance(token.get(key), str) for key in ("access_token", "refresh_token", "scope")) and isinstance(token.get("expires_at"), int)
    return token if whole else None
