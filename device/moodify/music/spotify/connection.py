"""One account's way to the Web API: one call at a time, within a budget, and only the project's errors come out."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import spotipy

from moodify.errors import MoodifyError, SpeakerUnavailable
from moodify.music.guards.breaker import Breaker
from moodify.music.port import Requests

from .budget import Budget
from .ending import notice_of_ending
from .mapping import FOREIGN, foreign_error
from .quota import Quota
from .transport import ApiTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from .signin import SignIn


class Connection:
    """What reading and giving orders share: the client, what lets its requests pass, and the lock around each call."""

    def __init__(
        self,
        sign_in: SignIn,
        *,
        api_url: str,
        timeout_s: float,
        now_s: Callable[[], float],
        now: Callable[[], datetime],
        requests_per_hour: int,
        folder: Path | None,
    ) -> None:
        """Take what :class:`~moodify.music.spotify.adapter.SpotifyPlayer` takes. Sends nothing yet."""
        self._sign_in = sign_in
        self.budget = Budget(requests_per_hour, now_s=now_s)
        self._now = now
        self._quota = Quota(folder, app=str(sign_in.client_id), now_s=now_s, now=now)
        self._breaker = Breaker("Spotify", now_s=now_s, refusal=SpeakerUnavailable)
        self._transport = ApiTransport(sign_in, self._breaker, self._quota, self.budget.note)
        self._spotify = spotipy.Spotify(requests_session=self._transport, requests_timeout=timeout_s)
        self._spotify.prefix = api_url
        self._lock = threading.RLock()
        self._closed = threading.Event()

    @property
    def description(self) -> str:
        """What it is, for a person."""
        return "Spotify"

    def asked(self) -> AbstractContextManager[None]:
        """Say that what this thread does meanwhile was asked for by a person: it is never refused for the budget of requests."""
        return self.budget.asked()

    def ordering(self) -> AbstractContextManager[None]:
        """Say that what this thread looks at meanwhile belongs to an order, and may use the requests that are kept for orders."""
        return self.budget.ordering()

    def next_poll_s(self, poll_s: float, remaining_of_track_s: float | None = None) -> float:
        """Return the seconds after which to look at what plays again.

        Args:
            poll_s: between two looks, where nothing speaks for another time.
            remaining_of_track_s: what is left of the track that plays; None where nothing does.
        """
        return max(self.budget.next_poll_s(poll_s, remaining_of_track_s), self._quota.left_s, self._breaker.left_s)

    def requests(self) -> Requests:
        """Return what was sent within the last hour; from any thread."""
        return Requests(self.budget.per_hour, self.budget.spent, self.budget.beside, self._quota.left_s)

    def notices(self) -> tuple[str, ...]:
        """Return what a person should know although orders work. No request is made, and no call that is under way is waited for."""
        told = (self._quota.notice(), notice_of_ending(self._sign_in.tokens, self._now()))
        return tuple(notice for notice in told if notice is not None)

    def close(self) -> None:
        """End a wait and give the connections back."""
        self._closed.set()
        self._transport.close()
        self._sign_in.close()

    @contextmanager
    def _mapped(self, *, reads: int = 0) -> Iterator[None]:
        """Let a call pass that only reads, with so many requests at most, or (0) an order."""
        with self._lock:
            if self._closed.is_set():
                raise SpeakerUnavailable(f"{self.description} is closed; start again")
            # Why Spotify is not asked counts for more than our own budget.
            self._quota.check()
            self.budget.admit(reads)
            try:
                yield
            except MoodifyError:
                raise
            except FOREIGN as error:
                raise foreign_error(error) from error
