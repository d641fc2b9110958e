"""A mood that somebody has named, from afar or on the page: it stands for the room's until its time is over, or somebody looks again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from moodify.types import FELT_MOODS, Mood, MoodReading

if TYPE_CHECKING:
    from moodify.daemon.kept import Kept
    from moodify.system.clock import Clock
    from moodify.web.port import OverrideNow

KEY = "override"
#: A command's ``minutes`` at most (docs/mqtt.md): what is kept over a restart with a wrong clock lasts no longer either.
LONGEST_S = 720 * 60.0


@dataclass(frozen=True, slots=True)
class _Named:
    mood: Mood
    since_s: float
    until_s: float
    """On the clock of the frames."""
    until: datetime


class Override:
    """At most one named mood, kept over a restart. Belongs to the conductor's thread."""

    def __init__(self, clock: Clock, kept: Kept) -> None:
        """Go on with what the last run was told, for the time that is left of it."""
        self._clock = clock
        self._kept = kept
        self._named = self._recall()

    def name(self, mood: Mood, minutes: int) -> datetime:
        """Take a mood for the room's; return until when (UTC)."""
        now_s = self._clock.now_s()
        until = self._clock.utc() + timedelta(minutes=minutes)
        self._named = _Named(mood, now_s, now_s + 60.0 * minutes, until)
        self._kept.keep(KEY, {"mood": mood.value, "until": until.isoformat(timespec="seconds")})
        return until

    def end(self) -> bool:
        """Look for itself again; return whether a mood was named."""
        if self._named is None:
            return False
        self._named = None
        self._kept.keep(KEY, None)
        return True

    def over(self) -> bool:
        """Return, once, whether the time of a named mood has run out."""
        return self._named is not None and self._clock.now_s() >= self._named.until_s and self.end()

    def reading(self, seen: MoodReading | None, people: int) -> MoodReading | None:
        """Return the mood to go by: the named one, until everybody who was there has left."""
        named = self._named
        if named is None or (people == 0 and seen is not None and seen.mood is Mood.ABSENT and seen.since_s > named.since_s):
            return seen
        return MoodReading(named.mood, 1.0, named.since_s, people=people)

    def now(self) -> OverrideNow | None:
        """Return it as page and broker show it."""
        return None if self._named is None else {"mood": self._named.mood.value, "until": self._named.until.isoformat(timespec="seconds")}

    def _recall(self) -> _Named | None:
        match self._kept.recalled(KEY):
            case {"mood": str(mood), "until": str(text)} if mood in FELT_MOODS:
                try:
                    until = datetime.fromisoformat(text)
                    left_s = min((until - self._clock.utc()).total_seconds(), LONGEST_S)
                except (ValueError, TypeError):
                    return None
                now_s = self._clock.now_s()
                return _Named(Mood(mood), now_s, now_s + left_s, until) if left_s > 0 else None
        return None
