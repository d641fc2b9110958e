"""A song as the music room knows it: the track, what is known of its sound, and how well it fits a mood."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.types import Track


class Source(StrEnum):
    """Where a mood's music may come from, as the owner's configuration names it."""

    LIKED = "liked"
    """The owner's liked songs, where features are known."""
    TOP = "top"
    """What the owner hears most, where features are known."""
    RECENT = "recent"
    """What the owner heard lately, where features are known."""
    IMPORTED = "imported"
    """What was imported from a CSV file with features."""
    SEARCH = "search"
    """Spotify's search for the mood's word or the owner's text: the fallback."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a song's sound."""

    energy: float
    """From 0 to 1."""
    valence: float
    """From 0 (gloomy) to 1 (cheerful)."""
    tempo_bpm: float | None = None
    danceability: float | None = None
    acousticness: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A song that may play for a mood."""

    track: Track
    fit: float = 1.0
    """How well it fits the mood, from 0 to 1; 1 for what the owner chose for it."""
    why: str = ""
    """In plain words, as part of a sentence: ``from your playlist``, ``energy and valence fit``."""
    features: Features | None = None


class Outcome(StrEnum):
    """What became of a song that was played for a mood."""

    HEARD = "heard"
    """It played to its end."""
    LIKED = "liked"
    """Somebody pressed *like*."""
    SKIPPED = "skipped"
    """Somebody pressed *not this*."""
    SKIPPED_ELSEWHERE = "skipped elsewhere"
    """It was cut short by other means: the phone, the speaker's own button."""
