"""One account's way to the Web API: one call at a time, and only the project's errors come out."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import spotipy

from moodify.errors import MoodifyError, SpeakerUnavailable

from .mapping import FOREIGN, foreign_error
from .transport import ApiTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .signin import SignIn


class Connection:
    """What reading and giving orders share: the client, its transport, and the lock around each call."""

    def __init__(self, sign_in: SignIn, *, api_url: str, timeout_s: float, now_s: Callable[[], float]) -> None:
        """Take the sign-in, the Web API's address, the longest time of a request, and a monotonic clock. Sends nothing yet."""
        self._sign_in = sign_in
        self._transport = ApiTransport(sign_in, now_s=now_s)
        self._spotify = spotipy.Spotify(requests_session=self._transport, requests_timeout=timeout_s)
        self._spotify.prefix = api_url
        self._lock = threading.RLock()
        self._closed = threading.Event()

    @property
    def description(self) -> str:
        """What it is, for a person."""
        return "Spotify"

    def close(self) -> None:
        """End a wait and give the connections back."""
        self._closed.set()
        self._transport.close()
        self._sign_in.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        with self._lock:
            if self._closed.is_set():
                raise SpeakerUnavailable(f"{self.description} is closed; start again")
            try:
                yield
            except MoodifyError:
                raise
            except FOREIGN as error:
                raise foreign_error(error) from error
