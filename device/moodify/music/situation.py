"""What the policy is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from datetime import datetime, time

    from moodify.types import Decision, MoodReading, Playback


class Ask(StrEnum):
    """What was asked for: by a person in the room, but for what names ``FROM_AFAR``."""

    LOOK = "look"
    """Look again, and play what fits: asked of the policy once the answer of the look is the situation's reading."""
    LOOK_FROM_AFAR = "look from afar"
    """Look again, asked for by nobody in the room: no wait for the dwell, but all other rules of what is done unasked."""
    MOOD_FROM_AFAR = "mood from afar"
    """Play what fits the situation's mood, which somebody has named who is not in the room: as :attr:`LOOK`, but a silent speaker is left to the rules of what is done unasked."""
    NEXT = "next"
    """Not this."""
    PAUSE = "pause"
    """Pause, or go on."""
    LIKE = "like"
    """More like this."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision rests on, besides what was decided before."""

    now_s: float
    """On the clock of the frames."""
    local_time: time
    """Of the day, for quiet hours, goals and volume caps; without a time zone, as the configuration's."""
    reading: MoodReading | None
    """The last steady mood; None before the first."""
    people: int
    """Who is there now; somebody may be back before their mood is steady."""
    playback: Playback | None
    """What the speaker did when it was last looked at; None where that is not known."""
    playback_s: float
    """When it was looked at, on the clock of the frames."""
    ask: Ask | None = None
    """What a person has just asked for; each press is put once."""
    at: datetime | None = None
    """The date, for what is learned; None where no clock can be trusted, and then nothing is."""
    clock_doubted: bool = False
    """Whether the clock is known to be wrong: any hour may be a quiet one then."""
    playback_unsure: bool = False
    """Whether the speaker was looked at since and has not answered, or not in time: ``playback`` is what it did before."""

    @property
    def mood(self) -> Mood:
        """The last steady mood; unsure before the first."""
        return Mood.UNSURE if self.reading is None else self.reading.mood

    @property
    def felt(self) -> MoodReading | None:
        """The last steady mood where there is music for it."""
        return self.reading if self.reading is not None and self.reading.mood in FELT_MOODS else None

    @property
    def gone(self) -> bool:
        """Whether nobody is here, and has not been for a while."""
        return self.people == 0 and self.reading is not None and self.reading.mood is Mood.ABSENT

    @property
    def absent_s(self) -> float:
        """For how many seconds nobody was here; 0 where somebody is."""
        return self.now_s - self.reading.since_s if self.reading is not None and self.gone else 0.0

    @property
    def uri(self) -> str | None:
        """The song that plays, or is paused."""
        return self.playback.track.uri if self.playback is not None and self.playback.track is not None else None

    @property
    def end_s(self) -> float | None:
        """When that song ends if it is left alone; None where there is none."""
        if self.playback is None or self.playback.track is None:
            return None
        return self.playback_s + (self.playback.track.duration_ms - self.playback.progress_ms) / 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and when to ask again."""

    decision: Decision
    wake_s: float | None
    """When the answer may change by itself, on the clock of the frames: look at the speaker then, and ask again.
    None where only something that happens can change it."""
    passing: bool = False
    """A KEEP that is no news: it waits for the last order to show, or finds that the music fits."""
    asked: bool = False
    """Whether the order is a person's: of the press that was just put, or of one that is tried again."""
