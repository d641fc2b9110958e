"""The file that holds the sign-in: written so that no power cut loses it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from spotipy.cache_handler import CacheHandler

from moodify.errors import SignInNeeded

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

FILE = "spotify-token.json"
NEXT_STEP = "sign in with: moodify spotify login"


class TokenFile(CacheHandler):  # type: ignore[misc] # spotipy has no types
    """Access and refresh token in a 0600 file.

    A refresh token works once, so the newest one must survive a crash at any moment: it is written beside the file, synced
    and renamed; what a crash left beside the file is adopted at the next reading; and what could not be written (a full disk)
    is held in memory and written again at the next chance. Thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self.path = folder / FILE
        self._beside = folder / f"{FILE}.new"
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
                if _read(self._beside) is not None:
                    self._adopt()
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
            self._beside.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _write(self, token: dict[str, Any]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._beside.unlink(missing_ok=True)
            handle = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(token, file)
                file.flush()
                os.fsync(file.fileno())
            self._adopt()
        except OSError as error:
            if self._unwritten is None:
                logger.error("the Spotify sign-in can't be written to %s (%s); free some space, or it is lost at the next start", self.path, error.strerror)  # noqa: TRY400 - the reason says all
            self._unwritten = token
        else:
            self._unwritten = None

    def _adopt(self) -> None:
        # Where it is missing, another process on this device has just adopted it.
        with contextlib.suppress(FileNotFoundError):
            self._beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> dict[str, Any] | None:
    """Return the tokens of a file; None where there is none or it is not whole."""
    try:
        token = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    whole = isinstance(token, dict) and all(isinstance(token.get(key), str) for key in ("access_token", "refresh_token", "scope")) and isinstance(token.get("expires_at"), int)
    return token if whole else None
