"""What the rest of the house knows of a speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from moodify.types import Playback, Speaker, Track


class Player(Protocol):
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

    def search(self, text: str, *, limit: int = 10) -> tuple[Track, ...]:
        """Return tracks for a search text, best first; at most ``limit`` (1 to 10)."""

    def tracks_of(self, uri: str, *, limit: int = 50) -> tuple[Track, ...]:
        """Return tracks of a playlist, album, artist or track; empty where the service does not let them be read."""

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
