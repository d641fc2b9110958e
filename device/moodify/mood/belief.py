"""From smoothed probabilities to a mood that is believed: a band, and patience."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Band:
    """When a mood is entered, held and given up."""

    enter: float
    """Probability at which a mood is entered."""
    hold: float
    """Probability down to which it is held; not above ``enter``."""
    steady_s: float
    """Seconds for which a candidate must hold."""
    patience_s: float
    """Seconds for which nothing may be in the band before the mood is unsure; not below ``steady_s``."""


@dataclass(frozen=True, slots=True)
class Belief:
    """The believed mood, and what might follow it."""

    mood: Mood
    candidate: Mood | None = None
    held_s: float = 0.0
    """How long the candidate has held."""
    lost_s: float = 0.0
    """How long the believed mood has been out of its band."""
    took_s: float = 0.0
    """How long the evidence had held when this mood was believed."""

    def step(self, probabilities: Mapping[Mood, float] | None, dt_s: float, band: Band) -> Belief:
        """Return the belief after one look at a room with somebody in it.

        Args:
            probabilities: Smoothed, of the felt moods at least; None where no face could be judged.
            dt_s: Seconds since the look before.
            band: What it takes.
        """
        if probabilities is None:
            return self._given_up_or(replace(self, lost_s=self.lost_s + dt_s), band)
        candidate = self._next(probabilities, band)
        held_s = self.held_s + dt_s if candidate is not None and candidate is self.candidate else 0.0
        if candidate is not None and held_s >= band.steady_s and probabilities[candidate] >= band.enter:
            return Belief(candidate, took_s=held_s)
        kept = self.mood in FELT_MOODS and probabilities[self.mood] >= band.hold
        then = replace(self, candidate=candidate, held_s=held_s, lost_s=0.0 if kept else self.lost_s + dt_s)
        return then if kept or candidate is not None else self._given_up_or(then, band)

    def _next(self, probabilities: Mapping[Mood, float], band: Band) -> Mood | None:
        top = max(FELT_MOODS, key=probabilities.__getitem__)
        if top is self.mood:
            return None
        needed = band.hold if top is self.candidate else band.enter
        return top if probabilities[top] >= needed else None

    def _given_up_or(self, then: Belief, band: Band) -> Belief:
        if self.mood is not Mood.UNSURE and then.lost_s >= band.patience_s:
            return Belief(Mood.UNSURE, took_s=then.lost_s)
        return then
