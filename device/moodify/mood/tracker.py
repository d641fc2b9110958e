"""Looks become presence and a steady mood: only what has changed and holds leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moodify.mood.belief import Band, Belief
from moodify.mood.people import PeopleCounter
from moodify.mood.smoothing import Average
from moodify.mood.voices import WIDTH, affect_in, hear, moods_in
from moodify.types import FELT_MOODS, Mood, MoodReading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.config.model import MoodConfig
    from moodify.types import Observation

#: One look stands for at most so many seconds, so that the first one after a gap does not decide alone.
MAX_STEP_S = 2.0

#: The very first look has none before it; it stands for about one look at the usual rate.
FIRST_STEP_S = 0.1

#: A mood that a press asked for must hold for so long, in seconds: ten looks at 15 per second, so that none of them decides alone.
SCAN_STEADY_S = 0.7

#: A press is answered after so many seconds at the latest, if only by "can't tell".
SCAN_S = 3.0


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Another number of people is there."""

    people: int
    t_s: float


@dataclass(frozen=True, slots=True)
class MoodChange:
    """Another mood is steady, or a press is answered."""

    reading: MoodReading
    t_s: float
    asked: bool
    """The answer to :meth:`MoodTracker.look_again`; its mood may be the one from before."""


@dataclass(frozen=True, slots=True)
class MoodView:
    """Where the tracker stands, for a live view."""

    reading: MoodReading | None
    """The last steady mood; None before the first."""
    people: int
    probabilities: Mapping[Mood, float]
    """Smoothed, of the felt moods and of unsure, summing to 1; empty without evidence."""
    valence: float
    arousal: float
    candidate: Mood | None
    candidate_s: float
    """How long the candidate has held, in seconds."""
    scanning: bool


class MoodTracker:
    """Folds observations in over time and people.

    The observations' ``t_s`` is the only clock; gaps count for :data:`MAX_STEP_S` at most. To forget
    everything, as after privacy, make a new one.
    """

    def __init__(self, config: MoodConfig) -> None:
        """Know nothing yet."""
        self._config = config
        # Between two moods both are out of the band for a while; that is no reason to say "can't tell".
        self._band = Band(config.enter, config.hold, config.steady_s, config.steady_s + config.smoothing_s)
        self._scan_band = replace(self._band, steady_s=min(config.steady_s, SCAN_STEADY_S))
        self._people = PeopleCounter(absent_s=config.absent_s)
        self._average = Average()
        self._belief = Belief(Mood.ABSENT)
        self._reading: MoodReading | None = None
        self._scan_s: float | None = None
        self._last_s: float | None = None
        self._face_s = 0.0

    @property
    def current(self) -> MoodView:
        """Where it stands now."""
        values = self._average.value
        valence, arousal = affect_in(values) if values is not None else (0.0, 0.0)
        return MoodView(
            reading=self._reading,
            people=self._people.count,
            probabilities=moods_in(values) if values is not None else {},
            valence=valence,
            arousal=arousal,
            candidate=self._belief.candidate,
            candidate_s=self._belief.held_s,
            scanning=self._scan_s is not None,
        )

    def look_again(self) -> None:
        """Forget what was seen and answer from the next looks alone.

        One :class:`MoodChange` with ``asked`` follows within :data:`SCAN_S` seconds of looks. Asking again before
        the answer is the same question.
        """
        if self._scan_s is None:
            self._scan_s = 0.0
            self._average = Average()
            self._belief = Belief(Mood.UNSURE)

    def step(self, observation: Observation) -> tuple[PresenceChange | MoodChange, ...]:
        """Take one look and return what changed; an observation older than the last is ignored."""
        t_s = observation.t_s
        if self._last_s is not None and t_s < self._last_s:
            return ()
        dt_s = self._elapsed(t_s)
        if observation.faces:
            self._face_s = t_s
        present = self._people.step(len(observation.faces), dt_s)
        mood = self._gone(t_s) if present and not self._people.count else self._somebody(observation, dt_s)
        return (*((PresenceChange(self._people.count, t_s),) if present else ()), *((mood,) if mood is not None else ()))

    def _elapsed(self, t_s: float) -> float:
        if self._last_s is None:
            self._last_s = self._face_s = t_s
            return FIRST_STEP_S
        gap_s, self._last_s = t_s - self._last_s, t_s
        if gap_s > max(self._config.absent_s, MAX_STEP_S):
            # Nobody looked for so long that what was seen before says nothing about now.
            self._average = Average()
            self._belief = Belief(self._belief.mood)
        return min(gap_s, MAX_STEP_S)

    def _gone(self, t_s: float) -> MoodChange | None:
        asked = self._scan_s is not None
        self._scan_s = None
        self._average = Average()
        self._belief = Belief(Mood.ABSENT)
        if not asked and self._reading is not None and self._reading.mood is Mood.ABSENT:
            # Somebody passed by and left before any mood was steady.
            return None
        return self._say(MoodReading(Mood.ABSENT, 0.0, self._face_s), t_s, asked=asked)

    def _somebody(self, observation: Observation, dt_s: float) -> MoodChange | None:
        before = self._belief.mood
        if observation.faces:
            voice = hear(observation.faces, self._config.people)
            if voice is not None:
                self._average = self._average.fold(voice.values, dt_s=dt_s * voice.strength, time_constant_s=self._config.smoothing_s)
            if self._people.count:
                values = (self._average.value or (0.0,) * WIDTH) if voice is not None else None
                band = self._band if self._scan_s is None else self._scan_band
                self._belief = self._belief.step(moods_in(values) if values is not None else None, dt_s, band)
        if self._scan_s is not None:
            return self._answer(observation.t_s, dt_s)
        if self._belief.mood is before:
            return None
        change = self._say(self._read(observation.t_s), observation.t_s, asked=False)
        if change.reading.mood is Mood.UNSURE:
            # Perhaps nobody could be judged for a while: what was seen before that must not speak now.
            self._average = Average()
        return change

    def _answer(self, t_s: float, dt_s: float) -> MoodChange | None:
        self._scan_s = (self._scan_s or 0.0) + dt_s
        if self._belief.mood is Mood.UNSURE and self._scan_s < SCAN_S:
            return None
        self._scan_s = None
        if not self._people.count:
            self._belief = Belief(Mood.ABSENT)
        reading = self._read(t_s)
        if self._reading is not None and self._reading.mood is reading.mood:
            reading = replace(reading, since_s=self._reading.since_s)
        return self._say(reading, t_s, asked=True)

    def _read(self, t_s: float) -> MoodReading:
        mood, since_s = self._belief.mood, t_s - self._belief.took_s
        values = self._average.value
        if mood is Mood.ABSENT or values is None:
            return MoodReading(mood, 0.0, since_s, people=self._people.count)
        moods = moods_in(values)
        # Of unsure it is the likeliest mood's: how near it came.
        confidence = moods[mood] if mood in FELT_MOODS else max(moods[felt] for felt in FELT_MOODS)
        valence, arousal = affect_in(values)
        return MoodReading(mood, confidence, since_s, valence, arousal, self._people.count)

    def _say(self, reading: MoodReading, t_s: float, *, asked: bool) -> MoodChange:
        self._reading = reading
        return MoodChange(reading, t_s, asked)
