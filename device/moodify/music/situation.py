"""What the policy is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

    from moodify.types import Decision, MoodReading, Playback


class Ask(StrEnum):
    """What was asked for: by a person in the room, but for :attr:`LOOK_FROM_AFAR`."""

    LOOK = "look"
    """Look again, and play what fits: asked of the policy once the answer of the look is the situation's reading."""
    LOOK_FROM_AFAR = "look from afar"
    """Look again, asked for by nobody in the room: no wait for the dwell, but all other rules of what is done unasked."""
    NEXT = "next"
    """Not this."""
    PAUSE = "pause"
    """Pause, or go on."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision rests on, besides what was decided before."""

    now_s: float
    """On the clock of the frames."""
    local_time: time
    """Of the day, for quiet hours; without a time zone, as the configuration's."""
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and when to ask again."""

    decision: Decision
    wake_s: float | None
    """When the answer may change by itself, on the clock of the frames: look at the speaker then, and ask again.
    None where only something that happens can change it."""
    passing: bool = False
    """A KEEP that is no news: it waits for the last order to show, or finds that the music fits."""
