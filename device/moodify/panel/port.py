"""What the rest of the house knows of the button and the light."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from moodify.types import Mood


class Press(StrEnum):
    """What a person asked for with the button, or with the keys that stand in for it."""

    SCAN = "scan"
    NEXT = "next"
    PAUSE = "pause"
    LIKE = "like"
    """Keys and page only."""
    PRIVACY = "privacy"
    RESET = "reset"
    """Button only."""
    LET_GO = "let go"
    """Button only: it is up again, and its press meant no more than what was said when it went down."""
    STUCK = "stuck"
    """Button only: it has been down for so long that nobody means anything by it, whenever it comes up."""
    QUIT = "quit"
    """Terminal only."""


class Show(StrEnum):
    """What the light says."""

    OFF = "off"
    IDLE = "idle"
    LOOKING = "looking"
    MOOD = "mood"
    """In the colour of the mood."""
    PLAYING = "playing"
    """In the colour of the mood that it plays for."""
    DEGRADED = "degraded"
    PRIVACY = "privacy"
    NEEDS_PERSON = "needs a person"
    HOLD_PAUSE = "let go to pause"
    """The button is held; letting go now pauses, or goes on."""
    HOLD_PRIVACY = "let go for privacy"
    HOLD_RESET = "let go to reset"
    NOTHING_TO_DO = "nothing to do"
    """What was asked for has nothing to be done to."""


class Light(Protocol):
    """The light. Calls return at once and never raise."""

    def show(self, what: Show, mood: Mood | None = None) -> None:
        """Show a state; ``mood`` for :attr:`Show.MOOD` and :attr:`Show.PLAYING`."""

    def answer(self, what: Show | None) -> None:
        """Answer a finger at the button, before any state that :meth:`show` was told; None goes back to that."""

    def close(self) -> None:
        """Put it out and give the pins back."""
