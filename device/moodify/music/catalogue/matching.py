"""How well a song's sound fits a mood: a place on the circle of feelings, in quantiles of the owner's own songs. Pure.

Energy and valence are skewed (energy's median is 0.72 in a sample of 32,833 songs), and everybody's songs differently, so
"high energy" means high among the songs of this household: a song's rank, never its number. A catalogue of jazz has
its own happy half.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Protocol, TypeVar

from moodify.types import Mood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from moodify.music.song import Features

T = TypeVar("T")

#: Angles on Russell's circumplex of affect (J. A. Russell, "A circumplex model of affect", J. Pers. Soc. Psychol. 39, 1980), in degrees,
#: where pleasure is 0, excitement 45, arousal 90, distress 135, displeasure 180, depression 225, sleepiness 270 and relaxation 315:
#: each mood but ``calm`` half-way between its two neighbours there. Fear is next to anger on the circle; ``tense`` stands one step
#: farther from arousal than ``angry``, so that both do not get the same songs: unpleasant too, with less energy.
#: Music like the mood, and no cheer for sad people, who do not prefer it (P. G. Hunter, E. G. Schellenberg, A. T. Griffith,
#: "Misery loves company: mood-congruent emotional responding to music", Emotion 11, 2011).
ANGLES: Mapping[Mood, float] = {
    Mood.HAPPY: 22.5,
    Mood.SURPRISED: 67.5,
    Mood.ANGRY: 112.5,
    Mood.TENSE: 157.5,
    Mood.SAD: 202.5,
    Mood.CALM: 315.0,
}

#: Distance of a region's centre from the middle, in quantiles: near the edge, where feelings are plain.
RADIUS = 0.42

#: Width of a region: the standard deviation of the fit around its centre, in quantiles.
WIDTH = 0.26

#: Fit from which a song counts as fitting well: within about a width of the centre, a sixth of an even catalogue.
GOOD = 0.6

#: Fit below which a song is no candidate, 0.47 from the centre. However energy and valence go together in a catalogue of at
#: least :data:`OWN_FROM` songs of different sound, some song lies above it for each mood: ranks are even, and the bands of ranks
#: around a centre would hold more songs than there are if no song were in both.
FLOOR = 0.2

#: Songs with features from which a catalogue has quantiles of its own.
OWN_FROM = 30

#: Candidates below which less fitting ones are taken too, and beyond which no more are taken.
ENOUGH = 12
MOST = 100

#: Value and share of songs below it, of the 32,833 songs of the TidyTuesday set ``spotify_songs`` (21 January 2020):
#: minimum, quartiles and maximum. They stand in for a catalogue that is too small for quantiles of its own.
POPULATION_ENERGY = ((0.0, 0.0), (0.581, 0.25), (0.721, 0.5), (0.84, 0.75), (1.0, 1.0))
POPULATION_VALENCE = ((0.0, 0.0), (0.331, 0.25), (0.512, 0.5), (0.693, 0.75), (0.991, 1.0))


@dataclass(frozen=True, slots=True)
class Region:
    """Where a mood's songs lie: the centre, in quantiles from 0 to 1."""

    valence: float
    energy: float

    @classmethod
    def of(cls, mood: Mood) -> Region:
        """Return the region of a felt mood."""
        angle = math.radians(ANGLES[mood])
        return cls(0.5 + RADIUS * math.cos(angle), 0.5 + RADIUS * math.sin(angle))

    def fit(self, valence: float, energy: float) -> float:
        """Return the fit of a place in quantiles: 1 at the centre, falling smoothly with the distance."""
        return math.exp(-((valence - self.valence) ** 2 + (energy - self.energy) ** 2) / (2 * WIDTH**2))


class Scale(Protocol):
    """Tells the share of songs below a value, from 0 to 1."""

    def __call__(self, value: float) -> float:
        """Return the quantile of a value."""


class Ranks:
    """The quantiles of a catalogue's own values: mid-ranks, so that equal values share the middle of theirs."""

    def __init__(self, values: Iterable[float]) -> None:
        """Take the values; at least one."""
        self._sorted = array("d", sorted(values))

    def __call__(self, value: float) -> float:
        """Return the quantile of a value."""
        return (bisect_left(self._sorted, value) + bisect_right(self._sorted, value)) / (2 * len(self._sorted))


class Population:
    """Quantiles between known points, in straight lines."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """Take values with the share of songs below each, both rising, from share 0 to 1."""
        self._points = points

    def __call__(self, value: float) -> float:
        """Return the quantile of a value."""
        (x0, q0), *rest = self._points
        if value <= x0:
            return q0
        for x1, q1 in rest:
            if value <= x1:
                return q0 + (q1 - q0) * (value - x0) / (x1 - x0)
            x0, q0 = x1, q1
        return q0


@dataclass(frozen=True, slots=True)
class Quantiles:
    """What is high and what is low among a household's songs."""

    valence: Scale
    energy: Scale
    own: bool
    """Whether they are of the household's own songs, and not of people's at large."""

    @classmethod
    def of(cls, sounds: Iterable[tuple[float, float]]) -> Quantiles:
        """Return the quantiles of a catalogue's songs, each as energy and valence; the population's where they are too few."""
        energies, valences = array("d"), array("d")
        for energy, valence in sounds:
            energies.append(energy)
            valences.append(valence)
        if len(energies) < OWN_FROM:
            return cls(Population(POPULATION_VALENCE), Population(POPULATION_ENERGY), own=False)
        return cls(Ranks(valences), Ranks(energies), own=True)


def fit(features: Features, mood: Mood, quantiles: Quantiles) -> float:
    """Return how well a song fits a felt mood, from 0 to 1.

    Only ranks count: a catalogue whose energies or valences are all distorted in the same rising way gives the same fits.
    """
    return matcher(mood, quantiles)(features.energy, features.valence)


def matcher(mood: Mood, quantiles: Quantiles) -> Callable[[float, float], float]:
    """Return what tells the fit of an energy and a valence for a felt mood."""
    region = Region.of(mood)
    return lambda energy, valence: region.fit(quantiles.valence(valence), quantiles.energy(energy))


def best(judged: Iterable[tuple[float, T]]) -> list[tuple[float, T]]:
    """Return the best of what has a fit, best first: all that fit well, at most :data:`MOST`, and where these are not
    :data:`ENOUGH` the next best down to :data:`FLOOR`. Equal fits keep their order.
    """
    ranked = nlargest(MOST, (pair for pair in judged if pair[0] >= FLOOR), key=lambda pair: pair[0])
    return [pair for place, pair in enumerate(ranked) if pair[0] >= GOOD or place < ENOUGH]


def in_words(fitting: float) -> str:
    """Say a fit, as part of a sentence."""
    return "energy and valence fit" if fitting >= GOOD else "energy and valence come near" if fitting >= FLOOR else "energy and valence are another mood's"
