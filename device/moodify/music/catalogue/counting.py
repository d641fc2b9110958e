"""How many songs there are for each mood, and from where: for ``moodify music moods``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moodify.music.candidates import CandidatePool
from moodify.music.catalogue.matching import FLOOR, GOOD, Quantiles, matcher
from moodify.music.catalogue.songs import origin_of_search, origin_of_uri
from moodify.music.song import Source
from moodify.types import FELT_MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.config.model import MusicConfig
    from moodify.music.candidates import Wanted
    from moodify.music.catalogue.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class MoodCount:
    """The songs for one mood."""

    uri: str | None
    """The owner's choice, where there is one: then all of it plays, and ``fit`` is its songs."""
    fit: int
    """Songs that fit well."""
    near: int
    """Songs that come near: taken where too few fit."""
    by_source: Mapping[str, int]
    """Songs that fit well or come near, by where they came from; one from two sources counts in both."""
    found: int
    """Songs that the search found when it was last asked."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The catalogue in numbers."""

    moods: Mapping[Mood, MoodCount]
    songs: int
    without_features: int
    by_origin: Mapping[str, tuple[int, int]]
    """For each origin its songs, and how many of them have features."""
    own_quantiles: bool
    """Whether there are songs enough to say what is high among the household's own."""
    problems: tuple[str, ...]
    """What a person must do about sources."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "songs": self.songs,
            "without_features": self.without_features,
            "own_quantiles": self.own_quantiles,
            "origins": {origin: {"songs": songs, "with_features": judged} for origin, (songs, judged) in self.by_origin.items()},
            "moods": {mood.value: {"uri": one.uri, "fit": one.fit, "near": one.near, "by_source": dict(one.by_source), "found": one.found} for mood, one in self.moods.items()},
            "problems": list(self.problems),
        }


def count(catalogue: Catalogue, config: MusicConfig) -> Counts:
    """Count what the catalogue has for each mood, where the owner says that its music comes from. Asks nobody.

    Raises:
        StoreBusy, StoreError: the catalogue can't be read.
    """
    songs, judged = catalogue.count()
    by_origin = catalogue.count_by_origin()
    quantiles = Quantiles.of(catalogue.sounds())
    pool = CandidatePool(config)
    wanted = {mood: pool.source(mood) for mood in FELT_MOODS}
    moods = {mood: _of_mood(catalogue, one, quantiles, by_origin) for mood, one in wanted.items()}
    asked = {origin for one in wanted.values() for origin in _origins(one)}
    problems = dict.fromkeys(message for origin, message in catalogue.problems().items() if origin in asked)
    return Counts(moods, songs, songs - judged, by_origin, quantiles.own, tuple(problems))


def _origins(wanted: Wanted) -> list[str]:
    if wanted.uri is not None:
        return [origin_of_uri(wanted.uri)]
    return [origin_of_search(wanted.search) if source is Source.SEARCH else source.value for source in wanted.sources]


def _of_mood(catalogue: Catalogue, wanted: Wanted, quantiles: Quantiles, by_origin: Mapping[str, tuple[int, int]]) -> MoodCount:
    if wanted.uri is not None:
        chosen = by_origin.get(origin_of_uri(wanted.uri), (0, 0))[0]
        return MoodCount(wanted.uri, chosen, 0, {}, 0)
    judge = matcher(wanted.mood, quantiles)
    fit, near = set(), set()
    by_source: dict[str, int] = {}
    for source in wanted.sources:
        if source is Source.SEARCH:
            continue
        fits = {number: judge(energy, valence) for number, energy, valence in catalogue.judged([source.value])}
        good = {number for number, fitting in fits.items() if fitting >= GOOD}
        close = {number for number, fitting in fits.items() if FLOOR <= fitting < GOOD}
        by_source[source.value] = len(good) + len(close)
        fit |= good
        near |= close
    found = by_origin.get(origin_of_search(wanted.search), (0, 0))[0] if Source.SEARCH in wanted.sources else 0
    return MoodCount(None, len(fit), len(near), by_source, found)
