"""What was asked for and is not answered yet: it waits for the look, or for the songs of a mood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.music.situation import Ask

if TYPE_CHECKING:
    from moodify.types import Mood

#: A press is answered within so many seconds, if only by why it can't be: music that starts later would be a surprise.
PRESS_S = 20.0


@dataclass(frozen=True, slots=True)
class _ForSongs:
    ask: Ask
    mood: Mood
    until_s: float
    """On the clock of the frames."""


class Pending:
    """At most one of each. Belongs to the conductor's thread."""

    def __init__(self) -> None:
        """Nothing was asked for."""
        self._look: Ask | None = None
        self._seen = False
        """Whether the look has come to its answer, which waits for the finger."""
        self._held = False
        self._songs: _ForSongs | None = None

    @property
    def looking(self) -> bool:
        """Whether a look was asked for that has not come to its answer."""
        return self._look is not None

    @property
    def held(self) -> bool:
        """Whether a finger is at the button, so that it is not known yet what its press means."""
        return self._held

    def look(self, ask: Ask) -> None:
        """Wait for a look; a person's press counts for more than a look that was asked for from afar."""
        self._look = Ask.LOOK if self._look is Ask.LOOK else ask
        self._seen = False

    def looked(self) -> Ask | None:
        """Return what was asked for, now that the look has come to its answer; None while a finger holds the button.

        What a hold means shows when it ends: until then the look must not have changed what plays.
        """
        if self._held:
            self._seen = self._look is not None
            return None
        ask, self._look = self._look, None
        return ask

    def hold(self) -> None:
        """Take note that a finger is at the button."""
        self._held = True

    def let_go(self) -> Ask | None:
        """Take note that it is gone; return what was asked for, where the look came to its answer meanwhile."""
        self._held = False
        seen, self._seen = self._seen, False
        return self.looked() if seen else None

    def songs(self, ask: Ask, mood: Mood, now_s: float) -> None:
        """Wait for the songs of a mood."""
        self._songs = _ForSongs(ask, mood, now_s + PRESS_S)

    def found(self, mood: Mood) -> Ask | None:
        """Return what waited for the songs of a mood, now that they are there or can't be had."""
        if self._songs is None or self._songs.mood is not mood:
            return None
        ask, self._songs = self._songs.ask, None
        return ask

    def late(self, now_s: float) -> Mood | None:
        """Return the mood whose songs were waited for too long; None where none were."""
        return self._songs.mood if self._songs is not None and now_s >= self._songs.until_s else None

    def drop(self) -> bool:
        """Forget all of it; return whether there was anything, which is owed an answer."""
        waited = self._look is not None or self._songs is not None
        self._look = self._songs = None
        self._seen = False
        return waited
