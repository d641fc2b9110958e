"""A playlist for a mood and a person: songs in an order, with the reason for each. Pure.

Songs are taken one after another, each time the one of the highest marginal relevance (J. Carbonell, J. Goldstein, "The use of MMR",
SIGIR 1998): how well it fits mood, taste and person, less how like it is to what came shortly before, in valence, energy and
artist, less how far its energy lies off the course that the goal sets. Where the energy is to rise or to fall, the chosen are then put
in that order. An artist never follows itself where that can be avoided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import dist, sqrt
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moodify.config.model import MusicGoal
    from moodify.music.song import Candidate, Features
    from moodify.types import Mood, Track

#: Energy at the begin and at the end, as shares of the mood's songs that have less: flat, rising, falling.
COURSES: Mapping[MusicGoal, tuple[float, float]] = {"match": (0.5, 0.5), "lift": (0.05, 0.95), "calm": (0.95, 0.05)}

#: What relevance, likeness and the distance from the course weigh. The course weighs most: a list that is asked to rise has to.
RELEVANCE, LIKENESS, COURSE = 0.35, 0.25, 0.8

#: How much more welcome a loved artist is: a fit of 0.6 comes before one of 0.9 by others.
LOVED = 1.6

#: What likeness counts for, each song farther back: what was heard ten songs ago is hardly in the ear, and before that not at all.
FADES = 0.8
IN_THE_EAR = 10

#: Taste of a song where nothing is learned.
UNKNOWN_TASTE = 0.5


class Judge(Protocol):
    """What was learned of the household's taste: :class:`moodify.music.taste.ThompsonTaste`."""

    def mean(self, mood: Mood, track: Track) -> float:
        """Return the expected chance, from 0 to 1, that this song is welcome in this mood."""

    def words(self, mood: Mood, track: Track) -> str | None:
        """Return what was learned that speaks for or against it; None where nothing was."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """For whom it is."""

    goal: MusicGoal = "match"
    loves: tuple[str, ...] = ()
    """Artists, in any case of letters."""
    avoids: tuple[str, ...] = ()
    explicit: bool = True
    """Whether songs that are marked as explicit may come; those of which it is not known come in any case."""
    length: int = 20


@dataclass(frozen=True, slots=True)
class Pick:
    """A song of a playlist."""

    track: Track
    reasons: tuple[str, ...]
    """In plain words, the most telling first."""
    fit: float
    features: Features | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """Songs in their order."""

    picks: tuple[Pick, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many songs may not come, by the reason."""
    unmarked: int = 0
    """Songs in it of which it is not known whether they are explicit, where that matters."""


@dataclass(frozen=True, slots=True)
class _Song:
    """A candidate, with what is asked of it again and again."""

    candidate: Candidate
    artist: str
    """The main artist, for comparing; what has none is like no other."""
    relevance: float
    energy_share: float | None
    """Share of the songs that have less energy."""
    loved: str | None


def make_playlist(mood: Mood, candidates: Sequence[Candidate], wanted: Preferences, taste: Judge | None = None) -> Playlist:
    """Return a playlist of at most ``wanted.length`` of the candidates; the same ones give the same list.

    Args:
        mood: That it is for; what was learned in it counts.
        candidates: Songs for the mood.
        wanted: For whom it is.
        taste: What the household was seen to like; None where nothing is learned.
    """
    allowed, left_out = _allowed(candidates, wanted)
    songs = _songs(mood, allowed, wanted, taste)
    chosen = _on_course(_chosen(songs, wanted), wanted)
    picks = tuple(Pick(song.candidate.track, _reasons(mood, song, place, chosen, wanted, taste), song.candidate.fit, song.candidate.features) for place, song in enumerate(chosen))
    unmarked = 0 if wanted.explicit else sum(pick.track.explicit is None for pick in picks)
    return Playlist(picks, left_out, unmarked)


def _allowed(candidates: Sequence[Candidate], wanted: Preferences) -> tuple[list[Candidate], dict[str, int]]:
    left_out: Counter[str] = Counter()
    allowed: dict[str, Candidate] = {}
    names: set[tuple[str, str]] = set()
    for candidate in candidates:
        track = candidate.track
        name = (track.title.casefold(), track.artist.casefold())
        if _named(track.artist, wanted.avoids) is not None:
            left_out["by artists to avoid"] += 1
        elif track.explicit and not wanted.explicit:
            left_out["explicit"] += 1
        elif track.uri in allowed or name in names:
            # A single and its album give the same song under two addresses.
            left_out["the same song again"] += 1
        else:
            names.add(name)
            allowed[track.uri] = candidate
    return list(allowed.values()), dict(left_out)


def _songs(mood: Mood, candidates: Sequence[Candidate], wanted: Preferences, taste: Judge | None) -> list[_Song]:
    energies = sorted(candidate.features.energy for candidate in candidates if candidate.features is not None)
    songs: list[_Song] = []
    for candidate in candidates:
        track, sound = candidate.track, candidate.features
        loved = _named(track.artist, wanted.loves)
        relevance = candidate.fit * (UNKNOWN_TASTE if taste is None else taste.mean(mood, track)) * (1.0 if loved is None else LOVED)
        share = None if sound is None else sum(energy < sound.energy for energy in energies) / max(len(energies) - 1, 1)
        songs.append(_Song(candidate, _main(track), relevance, share, loved))
    most = max((song.relevance for song in songs), default=0.0)
    return [_Song(song.candidate, song.artist, song.relevance / most, song.energy_share, song.loved) for song in songs] if most else songs


def _chosen(songs: Sequence[_Song], wanted: Preferences) -> list[_Song]:
    left, chosen = list(songs), list[_Song]()
    counts = Counter(song.artist for song in songs)
    begin, end = COURSES[wanted.goal]
    length = min(wanted.length, len(songs))
    for place in range(length):
        share = begin + (end - begin) * place / max(length - 1, 1)
        fitting = _apart(counts, chosen[-1].artist if chosen else None, length - place)
        song = max((song for song in left if song.artist in fitting), key=lambda song: _score(song, chosen, share))
        left.remove(song)
        counts[song.artist] -= 1
        chosen.append(song)
    return chosen


def _on_course(chosen: Sequence[_Song], wanted: Preferences) -> list[_Song]:
    """Return the chosen songs in the order of their energy, where it is to rise or fall; what has none known keeps its place about."""
    begin, end = COURSES[wanted.goal]
    if begin == end:
        return list(chosen)
    of_place = [begin + (end - begin) * place / max(len(chosen) - 1, 1) for place in range(len(chosen))]
    shares = {song.candidate.track.uri: share if song.energy_share is None else song.energy_share for song, share in zip(chosen, of_place, strict=True)}
    left = sorted(chosen, key=lambda song: shares[song.candidate.track.uri], reverse=end < begin)
    counts, ordered = Counter(song.artist for song in left), list[_Song]()
    while left:
        fitting = _apart(counts, ordered[-1].artist if ordered else None, len(left))
        song = next(song for song in left if song.artist in fitting)
        left.remove(song)
        counts[song.artist] -= 1
        ordered.append(song)
    return ordered


def _apart(counts: Counter[str], last: str | None, places: int) -> set[str]:
    """Return the artists that may come next so that none needs to follow itself in the places that are left; where that can't be, as few as can be."""
    artists = {artist for artist, count in counts.items() if count}
    others = artists - {last}
    good = {artist for artist in others if _can_be_apart(counts, artist, places - 1)}
    if good or not others:
        return good or artists
    most = max(counts[artist] for artist in others)
    return {artist for artist in others if counts[artist] == most}


def _can_be_apart(counts: Counter[str], first: str, places: int) -> bool:
    """Return whether so many places after a song by ``first`` can be filled so that no artist follows itself.

    An artist can take every other place, ``first`` not the first one; if these together suffice, so does some order.
    """
    return sum(min(count - 1, places // 2) if artist == first else min(count, (places + 1) // 2) for artist, count in counts.items()) >= places


def _score(song: _Song, chosen: Sequence[_Song], share: float) -> float:
    likeness = max((_likeness(song, other) * FADES**back for back, other in enumerate(reversed(chosen[-IN_THE_EAR:]))), default=0.0)
    # What is not known to lie off the course may lie a quarter off it, as a song by chance does on average.
    off = 0.25 if song.energy_share is None else abs(song.energy_share - share)
    return RELEVANCE * song.relevance - LIKENESS * likeness - COURSE * off


def _likeness(one: _Song, other: _Song) -> float:
    """Return how alike two songs are, from 0 to 1: half by artist, half by valence and energy."""
    a, b = one.candidate.features, other.candidate.features
    sound = 0.5 if a is None or b is None else 1.0 - dist((a.valence, a.energy), (b.valence, b.energy)) / sqrt(2)
    return 0.5 * (one.artist == other.artist) + 0.5 * sound


def _reasons(mood: Mood, song: _Song, place: int, chosen: Sequence[_Song], wanted: Preferences, taste: Judge | None) -> tuple[str, ...]:
    candidate = song.candidate
    learned = None if taste is None else taste.words(mood, candidate.track)
    reasons = [
        None if song.loved is None else f"by {song.loved}, who is loved",
        candidate.why or f"fits {mood.value}",
        learned,
        _course_words(song, chosen[place - 1] if place else None, wanted.goal),
        _variety_words(song, chosen[:place]),
    ]
    return tuple(reason for reason in reasons if reason)


def _course_words(song: _Song, before: _Song | None, goal: MusicGoal) -> str | None:
    sound = song.candidate.features
    if sound is None:
        return "its sound is not known"
    energy = f"energy {sound.energy:.2f}"
    earlier = None if before is None else before.candidate.features
    if earlier is None:
        return {"match": energy, "lift": f"begins low with {energy}", "calm": f"begins high with {energy}"}[goal] if before is None else energy
    if goal == "lift" and sound.energy > earlier.energy:
        return f"rises to {energy}"
    if goal == "calm" and sound.energy < earlier.energy:
        return f"falls to {energy}"
    return energy


def _variety_words(song: _Song, earlier: Sequence[_Song]) -> str | None:
    if not earlier or not song.candidate.track.artist:
        return None
    artists = [other.artist for other in earlier]
    if song.artist == artists[-1]:
        return "no other artist is left"
    return None if song.artist in artists else f"first by {song.candidate.track.artist} here"


def _main(track: Track) -> str:
    """Return the first of a song's artists, for comparing."""
    return track.artist.split(", ")[0].casefold() or track.uri


def _named(artists: str, names: Sequence[str]) -> str | None:
    """Return the name among ``names`` that is one of a song's artists, as the owner wrote it."""
    return next((name for name in names if name and f", {name.casefold().strip()}, " in f", {artists.casefold()}, "), None)
