"""Plays music to simulated households, one way to choose it beside another, and counts the regret.

**Regret.** What no way to choose can have: the best songs all the time, for none may repeat within :data:`NO_REPEAT` songs. The best that
can be is to go round the best ``NO_REPEAT + 1`` songs, so the regret of a play is the mean chance of those to be kept less the chance
of the song that plays. It is counted in songs that would have been kept; a curve that goes flat has learned, a straight one has not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Literal

import numpy as np

from moodify.music.choosing import Past, choose
from moodify.music.simulation.households import Household
from moodify.music.song import Outcome
from moodify.music.taste import ThompsonTaste
from moodify.types import Mood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from moodify.music.simulation.households import Archetype
    from moodify.music.song import Candidate
    from moodify.types import Track

#: learned: what ships; chance: what ships with ``learning = false``; playlist: the :data:`FIXED` songs that fit best, in order.
Way = Literal["learned", "chance", "playlist"]
WAYS: tuple[Way, ...] = ("learned", "chance", "playlist")

NO_REPEAT = 20
FIXED = 30
PLAYS_A_DAY = 12
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: Means of so many samples with replacement give the 95 % band of a mean (percentile bootstrap, Efron 1979).
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Band:
    """A mean with its 95 % band."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out for one archetype."""

    archetype: Archetype
    regret: dict[Way, NDArray[np.float64]]
    """Regret so far, in songs: (runs, plays) for each way."""
    kept: dict[Way, float]
    """Share of songs that were heard to their end."""

    def total(self, way: Way) -> Band:
        """Return the regret over all plays."""
        return band(self.regret[way][:, -1])

    def saved(self, than: Way) -> Band:
        """Return how much less regret learning has than another way; the same households heard both."""
        return band(self.regret[than][:, -1] - self.regret["learned"][:, -1])


def try_out(archetype: Archetype, *, runs: int, plays: int, seed: int) -> Iterator[Trial | None]:
    """Yield None after each run, so that progress can be shown, and the outcome at last. The same seed gives the same outcome."""
    regret: dict[Way, list[list[float]]] = {way: [] for way in WAYS}
    kept = dict.fromkeys(WAYS, 0)
    for run in range(runs):
        for way in WAYS:
            # The same household and the same luck for each way.
            curve, heard = _play(Household(archetype, Random(f"{seed} {run} household")), way, Random(f"{seed} {run} {way}"), plays)  # noqa: S311 - no secret
            regret[way].append(curve)
            kept[way] += heard
        yield None
    yield Trial(archetype, {way: np.cumsum(np.array(curves), axis=1) for way, curves in regret.items()}, {way: count / (runs * plays) for way, count in kept.items()})


def band(values: NDArray[np.float64]) -> Band:
    """Return the mean of one value for each run, with its 95 % band."""
    low, high = bands(values[:, None])
    return Band(float(values.mean()), float(low[0]), float(high[0]))


def bands(curves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper edge of the 95 % band of the mean over runs. ``curves``: (runs, plays)."""
    picked = np.random.default_rng(0).integers(0, len(curves), (_RESAMPLES, len(curves)))
    counts = np.stack([np.bincount(row, minlength=len(curves)) for row in picked])
    low, high = np.percentile(counts @ curves / len(curves), [2.5, 97.5], axis=0)
    return low, high


def _play(household: Household, way: Way, rng: Random, plays: int) -> tuple[list[float], int]:
    """Return the regret of each play, and how many songs were heard to their end."""
    taste = ThompsonTaste(rng)
    pick = _picker(household, way, taste, rng)
    regret: list[float] = []
    kept = 0
    best = _best(household)
    for play in range(plays):
        if play == plays // 2:
            household.change()
            best = _best(household)
        now = _BEGIN + timedelta(days=play / PLAYS_A_DAY)
        song = pick(now)
        outcome = household.hear(song, rng)
        kept += outcome in {Outcome.HEARD, Outcome.LIKED}
        taste.learn(Mood.HAPPY, song.track, outcome, now)
        regret.append(best - household.chance(song))
    return regret, kept


def _picker(household: Household, way: Way, taste: ThompsonTaste, rng: Random) -> Callable[[datetime], Candidate]:
    if way == "playlist":
        fixed = sorted(household.candidates, key=lambda song: -song.fit)[:FIXED]
        songs = _again_and_again(fixed)
        return lambda _now: next(songs)
    return _Chooser(household.candidates, (lambda track: taste.draw(Mood.HAPPY, track)) if way == "learned" else (lambda _track: rng.random()))


class _Chooser:
    """Chooses by the code that ships."""

    def __init__(self, songs: Sequence[Candidate], draw: Callable[[Track], float]) -> None:
        self._songs = songs
        self._draw = draw
        self._heard: deque[str] = deque(maxlen=2 * NO_REPEAT)
        self._before: Track | None = None

    def __call__(self, _now: datetime) -> Candidate:
        choice = choose(self._songs, Past(tuple(self._heard), NO_REPEAT, before=self._before), self._draw)
        assert choice is not None, "a household has more songs than it does not repeat"  # noqa: S101 - says why it can't be
        song = choice.song
        if song.track.uri in self._heard:
            self._heard.remove(song.track.uri)
        self._heard.append(song.track.uri)
        self._before = song.track
        return song


def _best(household: Household) -> float:
    chances = sorted(map(household.chance, household.candidates), reverse=True)
    return float(np.mean(chances[: NO_REPEAT + 1]))


def _again_and_again(songs: Iterable[Candidate]) -> Iterator[Candidate]:
    fixed = tuple(songs)
    while True:
        yield from fixed
