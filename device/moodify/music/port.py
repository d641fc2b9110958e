"""What the rest of the house knows of a speaker, and what the policy asks of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from moodify.music.candidates import Wanted
    from moodify.music.song import Candidate, Outcome
    from moodify.types import Mood, Playback, Speaker, Track


@dataclass(frozen=True, slots=True)
class Requests:
    """What was sent to the service within the last hour."""

    per_hour: int
    """What may be sent unasked."""
    unasked: int
    asked: int
    """By a person's press, which is never refused."""
    shut_s: float
    """Seconds until the service wants to be asked again; 0 where it may be now."""


class Shelves(Protocol):
    """What can be read of an account's music. Raises as :class:`Player`."""

    def search(self, text: str, *, limit: int = 10) -> tuple[Track, ...]:
        """Return tracks for a search text, best first; at most ``limit`` (1 to 10)."""

    def tracks_of(self, uri: str, *, limit: int = 50) -> tuple[Track, ...]:
        """Return tracks of a playlist, album, artist or track; empty where the service does not let them be read."""

    def liked(self, *, limit: int = 200) -> tuple[Track, ...]:
        """Return the owner's liked songs, newest first; NotAllowed where the sign-in lacks the scope."""

    def top(self, *, limit: int = 100) -> tuple[Track, ...]:
        """Return what the owner hears most, best first; NotAllowed as above."""

    def recent(self, *, limit: int = 50) -> tuple[Track, ...]:
        """Return what the owner heard lately, newest first, each once; NotAllowed as above."""


class Player(Shelves, Protocol):
    """A speaker that takes orders.

    Calls from several threads are carried out one after another. Each is bounded: one request's time-out, and for an order
    to a sleeping speaker the time that it may take to wake up (seconds). :meth:`close` ends such a wait from any thread.

    Raises (all calls):
        RetryLater: asleep, slow, rate-limited, failing (``retry_after_s`` where the service said so).
        PersonMustAct: the sign-in ended, the speaker is unknown, the account may not.
        CannotWork: this request is wrong and stays wrong.
    """

    @property
    def description(self) -> str:
        """What it is, for a person: ``Spotify on Kitchen``, ``the simulated speaker``."""

    def playback(self) -> Playback:
        """Return what plays now; ``Playback(playing=False)`` where nothing does."""

    def speakers(self) -> tuple[Speaker, ...]:
        """Return the Connect devices that the account can reach now."""

    def save_playlist(self, name: str, uris: Sequence[str], *, description: str = "") -> str:
        """Make a private playlist of the owner's from tracks and return its URI; NotAllowed as above."""

    def asked(self) -> AbstractContextManager[None]:
        """Say that what this thread does meanwhile was asked for by a person: our own budget of requests never refuses it."""

    def ordering(self) -> AbstractContextManager[None]:
        """Say that what this thread looks at meanwhile belongs to an order, and may use the requests that are kept for orders."""

    def next_poll_s(self, poll_s: float, remaining_of_track_s: float | None = None) -> float:
        """Return the seconds after which to look at what plays again: ``poll_s``, sooner where the track ends, later where requests are short."""

    def notices(self) -> tuple[str, ...]:
        """Return what a person should know although orders work: a sign-in that ends soon, a quota that is spent. No request is made."""

    def requests(self) -> Requests:
        """Return what was sent within the last hour; from any thread."""

    def play(self, uri: str) -> None:
        """Play a track or a context now, waking and transferring to the speaker where needed."""

    def queue(self, uri: str) -> None:
        """Play a track after the one that plays now; SpeakerUnavailable where nothing plays."""

    def pause(self) -> None:
        """Pause; already paused is done."""

    def resume(self) -> None:
        """Go on; already playing is done."""

    def skip(self) -> None:
        """Go to the next track."""

    def set_volume(self, percent: int) -> None:
        """Set the volume, 0 to 100; NotAllowed where the speaker has a fixed volume."""

    def close(self) -> None:
        """End a wait and give the connections back. Safe to call twice and from any thread; later calls raise SpeakerUnavailable."""


class Librarian(Protocol):
    """Finds the songs for a mood, where the owner says that they come from."""

    def find(self, player: Shelves, wanted: Wanted) -> tuple[Candidate, ...]:
        """Return candidates, best first; empty where ``wanted.uri`` is set and can only be played as a whole.

        Talks to the speaker's service as little as its cache allows. Called on the dj's thread.

        Raises:
            RetryLater, PersonMustAct, CannotWork: as :class:`Player`; only where no source at all had an answer.
        """


class Taste(Protocol):
    """What the household was seen to like, learned from its own presses and skips."""

    def draw(self, mood: Mood, track: Track) -> float:
        """Return a draw from the belief that this song is welcome in this mood, from 0 to 1 (Thompson sampling)."""

    def learn(self, mood: Mood, track: Track, outcome: Outcome, now: datetime) -> None:
        """Take note what became of a song."""

    def words(self, mood: Mood, track: Track) -> str | None:
        """Return what was learned that speaks for or against this song, as part of a sentence; None where nothing was."""
