"""Orders on their way to the speaker, and the music that they put on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.types import Act

if TYPE_CHECKING:
    from moodify.types import Decision, Mood, Track


@dataclass(frozen=True, slots=True)
class Sent:
    """Music that this appliance put on."""

    track: Track
    mood: Mood
    """Of the music."""
    through_quiet: bool
    """A press in quiet hours asked for it, so it may go on in them."""
    felt: Mood
    """The mood that was felt when it was chosen."""
    songs: int = 1
    """Which song of its mood in a row it is, for that felt mood."""
    sure: bool = True
    """False where the speaker may or may not have it."""
    counts: bool = False
    """Whether it is to be counted as a change of music once it comes."""
    teaches: bool = True
    """Whether what becomes of it says something about the song: not where it came at the wrong time."""


@dataclass(frozen=True, slots=True)
class Order:
    """A decision on its way, with what is needed once it is carried out."""

    decision: Decision
    asked: bool = False
    change: bool = False
    """Whether it counts as a change of music."""
    through_quiet: bool = False
    felt: Mood | None = None
    """The mood that was felt, where the music is for another."""
    songs: int = 1
    """As :attr:`Sent.songs`."""
    after_uri: str | None = None
    """The song after which a queued one comes."""
    at_s: float = 0.0
    """When it was decided."""
    while_uri: str | None = None
    """The song that played then."""

    def sent(self, *, sure: bool = True) -> Sent | None:
        """Return the music that it puts on; None where it puts none on."""
        decision = self.decision
        if decision.track is None or decision.act not in {Act.PLAY, Act.QUEUE}:
            return None
        felt = decision.mood if self.felt is None else self.felt
        return Sent(decision.track, decision.mood, self.through_quiet, felt, self.songs, sure=sure, counts=self.change and not sure)
