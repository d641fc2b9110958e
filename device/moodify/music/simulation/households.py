"""Simulated households: what they keep, skip and like. Equations, written down; no people, and fitted to none.

A listener h hears song j by artist a(j), whose sound fits the mood by f(j), to its end with the chance::

    p(h, j) = (1 - habit) · logistic(bias + slope · (f(j) - 0.75) + A(h, a) + S(h, j))
    A ~ Normal(0, artist_sd),  S ~ Normal(0, song_sd),  f ~ Uniform(0.5, 1)

``habit`` is the share that is skipped whatever plays. Two listeners are there together at :data:`TOGETHER` of the plays, each alone at
half of the rest; together they keep what both would keep. One in :data:`LIKES` songs that are kept is also liked with a press; of those
not kept, :data:`NOT_THIS` are skipped with *not this*, the rest by other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

from moodify.music.song import Candidate, Outcome
from moodify.types import Track

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

SONGS = 60
ARTISTS = 20
LIKES = 0.1
NOT_THIS = 0.6
TOGETHER = 0.4
_MIDDLE_FIT = 0.75


@dataclass(frozen=True, slots=True)
class Archetype:
    """A kind of household."""

    name: str
    said: str
    """In a sentence, for the table."""
    bias: float
    slope: float = 1.0
    artist_sd: float = 1.0
    song_sd: float = 0.8
    habit: float = 0.0
    listeners: int = 1
    changes: bool = False
    """Whether all of its taste is drawn anew when half of the plays are over."""

    @property
    def has_taste(self) -> bool:
        """Whether there is something to learn: songs differ by more than chance hides."""
        return self.artist_sd > 0.5  # noqa: PLR2004 - see ARCHETYPES


ARCHETYPES: Mapping[str, Archetype] = {
    each.name: each
    for each in (
        Archetype("easy-going", "likes nearly everything", bias=2.2, slope=0.3, artist_sd=0.1, song_sd=0.1),
        Archetype("picky", "keeps few artists", bias=-0.8, artist_sd=1.4, song_sd=0.8),
        Archetype("changing", "changes its taste when half is over", bias=0.0, changes=True),
        Archetype("couple", "two who differ, together or alone", bias=0.6, listeners=2),
        Archetype("skip-happy", "skips four of ten whatever plays", bias=0.3, habit=0.4),
    )
}


class Household:
    """One household of an archetype, drawn by chance."""

    def __init__(self, archetype: Archetype, rng: Random) -> None:
        """Draw its songs and its taste. ``rng``: seeded; the same seed gives the same household."""
        self.archetype = archetype
        self._rng = rng
        fits = sorted((rng.uniform(0.5, 1.0) for _ in range(SONGS)), reverse=True)
        self.candidates = tuple(
            Candidate(Track(f"spotify:track:{number}", f"Song {number}", f"Artist {rng.randrange(ARTISTS)}", 200_000), fit, "energy and valence fit")
            for number, fit in enumerate(fits)
        )
        self._kept = self._draw_taste()

    def change(self) -> None:
        """Draw its taste anew, where its kind does."""
        if self.archetype.changes:
            self._kept = self._draw_taste()

    def chance(self, candidate: Candidate) -> float:
        """Return the chance that it hears a song to its end, over who may be there."""
        chances = self._kept[candidate.track.uri]
        if len(chances) == 1:
            return chances[0]
        one, other = chances
        return TOGETHER * one * other + (1 - TOGETHER) * (one + other) / 2

    def hear(self, candidate: Candidate, rng: Random) -> Outcome:
        """Return what becomes of a song; ``rng`` is of the play, so that the household stays the same for each way to choose."""
        if rng.random() < self.chance(candidate):
            return Outcome.LIKED if rng.random() < LIKES else Outcome.HEARD
        return Outcome.SKIPPED if rng.random() < NOT_THIS else Outcome.SKIPPED_ELSEWHERE

    def _draw_taste(self) -> dict[str, tuple[float, ...]]:
        kind, rng = self.archetype, self._rng
        artists = [{f"Artist {number}": rng.gauss(0, kind.artist_sd) for number in range(ARTISTS)} for _ in range(kind.listeners)]
        return {
            song.track.uri: tuple(
                (1 - kind.habit) * _logistic(kind.bias + kind.slope * (song.fit - _MIDDLE_FIT) + of_artist[song.track.artist] + rng.gauss(0, kind.song_sd)) for of_artist in artists
            )
            for song in self.candidates
        }


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value))
