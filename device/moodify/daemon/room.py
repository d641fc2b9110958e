"""Who is in the room and how they feel, as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.daemon import words
from moodify.daemon.snapshot import date_of
from moodify.mood.tracker import MoodChange, PresenceChange
from moodify.types import EventKind, Mood

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.daemon.recorder import Recorder
    from moodify.mood.tracker import MoodTracker
    from moodify.system.clock import Clock
    from moodify.types import MoodReading, Observation


class Room:
    """What the camera told of the room. Belongs to the conductor's thread."""

    def __init__(self, clock: Clock, recorder: Recorder, new_tracker: Callable[[], MoodTracker]) -> None:
        """Know nobody yet."""
        self._clock = clock
        self._recorder = recorder
        self._new_tracker = new_tracker
        self._tracker = new_tracker()
        self.observation: Observation | None = None
        self.reading: MoodReading | None = None
        self.since: datetime | None = None
        self.people = 0

    @property
    def mood(self) -> Mood:
        """The steady mood; unsure before the first."""
        return Mood.UNSURE if self.reading is None else self.reading.mood

    @property
    def people_seen(self) -> int | None:
        """How many people are there; None while nothing is seen."""
        return self.people if self.observation is not None else None

    def see(self, observation: Observation) -> bool:
        """Take in what was seen and note what changed; return whether this answers a look that was asked for."""
        self.observation = observation
        answered = False
        for change in self._tracker.step(observation):
            match change:
                case PresenceChange(people=people):
                    self.people = people
                    self._recorder.note(EventKind.PRESENCE, words.presence(people))
                case MoodChange(reading=reading, asked=asked):
                    self.reading, self.since = reading, date_of(self._clock, reading.since_s)
                    self._recorder.note(EventKind.MOOD, words.mood(reading, self.since, asked=asked))
                    answered = answered or asked
        return answered

    def look_again(self) -> None:
        """Begin a look that was asked for: its answer is a mood of its own."""
        self._tracker.look_again()

    def forget(self) -> None:
        """Begin anew: nobody can be seen, which is not the same as nobody being there, and what was felt is no longer known."""
        if self.reading is not None or self.people:
            self._recorder.note(EventKind.PRESENCE, words.presence(None))
        self._tracker = self._new_tracker()
        self.observation, self.reading, self.since, self.people = None, None, None, 0
