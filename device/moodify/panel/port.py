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
    QUIT = "quit"
    """Terminal only."""


class Show(StrEnum):
    """What the light says."""

    OFF = "off"
    IDLE = "idle"
    LOOKING = "looking"
    MOOD = "mood"
    """In the colour of the mood."""
    DEGRADED = "degraded"
    PRIVACY = "privacy"
    NEEDS_PERSON = "needs a person"


class Light(Protocol):
    """The light. Calls return at once and never raise."""

    def show(self, what: Show, mood: Mood | None = None) -> None:
        """Show a state; ``mood`` for :attr:`Show.MOOD`."""

    def close(self) -> None:
        """Put it out and give the pins back."""
