"""A playlist for a mood and a person: songs in an order, with the reason for each. Pure.

**Steps.** What the goal means is what it means to the appliance (:mod:`moodify.music.goals`): ``match`` is a list of the felt mood's songs,
``calm`` one of calm songs whatever the mood, and ``lift`` :data:`SONGS_A_STEP` songs like the mood, then as many of each next brighter
mood, and of the brightest all the rest. Where there are too few of those, more come of the mood before.

**Songs.** Within a step songs are taken one after another, each time the one of the highest marginal relevance (J. Carbonell, J. Goldstein, "The use of MMR",
SIGIR 1998): how well it fits mood, taste and person, less how like it is to what came shortly before, in valence, energy and
artist, less how far its energy lies off the course that the goal sets. Where something is to rise or to fall, the chosen of a step are
then put in that order: calm music falls in energy, and a lift rises in valence. An artist never follows itself where that can be avoided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import dist, sqrt
from typing import TYPE_CHECKING, Protocol

from moodify.music import goals
from moodify.music.goals import SONGS_A_STEP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moodify.config.model import MusicGoal
    from moodify.music.song import Candidate, Features
    from moodify.types import Mood, Track

#: Energy at the begin and at the end of a step, as shares of its mood's songs that have less.
COURSES: Mapping[MusicGoal, tuple[float, float]] = {"match": (0.5, 0.5), "lift": (0.5, 0.5), "calm": (0.95, 0.05)}

#: What relevance, likeness and the distance from the course weigh. The course weighs most: a list that is asked to fall has to.
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
    mood: Mood
    """Whose music it is: the felt mood, calm, or a brighter one."""


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
    mood: Mood
    artist: str
    """The main artist, for comparing; what has none is like no other."""
    relevance: float
    energy_share: float | None
    """Share of the mood's songs that have less energy."""
    loved: str | None


def moods_for(goal: MusicGoal, felt: Mood) -> tuple[Mood, ...]:
    """Return the moods whose music a playlist for a felt mood is made of, in their order."""
    return goals.path(felt) if goal == "lift" else (goals.first_mood(goal, felt),)


def make_playlist(felt: Mood, candidates: Mapping[Mood, Sequence[Candidate]], wanted: Preferences, taste: Judge | None = None) -> Playlist:
    """Return a playlist of at most ``wanted.length`` of the candidates; the same ones give the same list.

    Args:
        felt: The mood that it is for.
        candidates: Songs for each mood of :func:`moods_for`; what was learned in that mood counts. A song of two moods is taken for the
            one that it fits better.
        wanted: For whom it is.
        taste: What the household was seen to like; None where nothing is learned.
    """
    moods = moods_for(wanted.goal, felt)
    allowed, left_out = _allowed({mood: candidates.get(mood, ()) for mood in moods}, wanted)
    chosen: list[_Song] = []
    for mood, count in _steps({mood: len(songs) for mood, songs in allowed.items()}, wanted.length).items():
        chosen += _on_course(_chosen(_songs(mood, allowed[mood], wanted, taste), count, chosen, wanted.goal), chosen, wanted.goal)
    picks = tuple(
        Pick(song.candidate.track, _reasons(felt, place, chosen, wanted, taste), song.candidate.fit, song.candidate.features, song.mood) for place, song in enumerate(chosen)
    )
    unmarked = 0 if wanted.explicit else sum(pick.track.explicit is None for pick in picks)
    return Playlist(picks, left_out, unmarked)


def _steps(known: dict[Mood, int], length: int) -> dict[Mood, int]:
    """Return how many songs come of each mood, of those that are known: in their order a step of each, and the rest from the last one backwards."""
    steps: dict[Mood, int] = {}
    for mood, songs in known.items():
        steps[mood] = min(songs, SONGS_A_STEP, length - sum(steps.values()))
    for mood in reversed(known):
        steps[mood] += min(known[mood] - steps[mood], length - sum(steps.values()))
    return steps


def _allowed(candidates: Mapping[Mood, Sequence[Candidate]], wanted: Preferences) -> tuple[dict[Mood, list[Candidate]], dict[str, int]]:
    best: dict[str, tuple[float, Mood]] = {}
    for mood, songs in candidates.items():
        for song in songs:
            if song.track.uri not in best or song.fit > best[song.track.uri][0]:
                best[song.track.uri] = song.fit, mood
    left_out: Counter[str] = Counter()
    allowed: dict[Mood, dict[str, Candidate]] = {mood: {} for mood in candidates}
    names: set[tuple[str, str]] = set()
    for mood, candidate in ((mood, song) for mood, songs in candidates.items() for song in songs if best[song.track.uri][1] is mood):
        track = candidate.track
        name = (track.title.casefold(), track.artist.casefold())
        if _named(track.artist, wanted.avoids) is not None:
            left_out["by artists to avoid"] += 1
        elif track.explicit and not wanted.explicit:
            left_out["explicit"] += 1
        elif track.uri in allowed[mood] or name in names:
            # A single and its album give the same song under two addresses.
            left_out["the same song again"] += 1
        else:
            names.add(name)
            allowed[mood][track.uri] = candidate
    return {mood: list(songs.values()) for mood, songs in allowed.items()}, dict(left_out)


def _songs(mood: Mood, candidates: Sequence[Candidate], wanted: Preferences, taste: Judge | None) -> list[_Song]:
    energies = sorted(candidate.features.energy for candidate in candidates if candidate.features is not None)
    songs: list[_Song] = []
    for candidate in candidates:
        track, sound = candidate.track, candidate.features
        loved = _named(track.artist, wanted.loves)
        relevance = candidate.fit * (UNKNOWN_TASTE if taste is None else taste.mean(mood, track)) * (1.0 if loved is None else LOVED)
        share = None if sound is None else sum(energy < sound.energy for energy in energies) / max(len(energies) - 1, 1)
        songs.append(_Song(candidate, mood, _main(track), relevance, share, loved))
    most = max((song.relevance for song in songs), default=0.0)
    return [replace(song, relevance=song.relevance / most) for song in songs] if most else songs


def _chosen(songs: Sequence[_Song], length: int, earlier: Sequence[_Song], goal: MusicGoal) -> list[_Song]:
    """Return so many of a mood's songs, that come after ``earlier`` ones."""
    left, chosen = list(songs), list(earlier)
    counts = Counter(song.artist for song in songs)
    begin, end = COURSES[goal]
    for place in range(length):
        share = begin + (end - begin) * place / max(length - 1, 1)
        fitting = _apart(counts, chosen[-1].artist if chosen else None, length - place)
        song = max((song for song in left if song.artist in fitting), key=lambda song: _score(song, chosen, share))
        left.remove(song)
        counts[song.artist] -= 1
        chosen.append(song)
    return chosen[len(earlier) :]


def _on_course(chosen: Sequence[_Song], earlier: Sequence[_Song], goal: MusicGoal) -> list[_Song]:
    """Return the chosen songs of a mood in the order that the goal gives them; what is not known of one keeps its place about."""
    if goal == "match":
        return list(chosen)
    heights = [None if song.candidate.features is None else _height(song.candidate.features, goal) for song in chosen]
    known = sorted(height for height in heights if height is not None)
    if not known:
        return list(chosen)
    of_place = [known[place * (len(known) - 1) // max(len(chosen) - 1, 1)] for place in range(len(chosen))]
    places = sorted(range(len(chosen)), key=lambda place: of_place[place] if (height := heights[place]) is None else height)
    left = [chosen[place] for place in places]
    counts, ordered = Counter(song.artist for song in left), list(earlier)
    while left:
        fitting = _apart(counts, ordered[-1].artist if ordered else None, len(left))
        song = next(song for song in left if song.artist in fitting)
        left.remove(song)
        counts[song.artist] -= 1
        ordered.append(song)
    return ordered[len(earlier) :]


def _height(sound: Features, goal: MusicGoal) -> float:
    """Return what rises within a step."""
    return -sound.energy if goal == "calm" else sound.valence


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


def _reasons(felt: Mood, place: int, chosen: Sequence[_Song], wanted: Preferences, taste: Judge | None) -> tuple[str, ...]:
    song, before = chosen[place], chosen[place - 1] if place else None
    candidate = song.candidate
    learned = None if taste is None else taste.words(song.mood, candidate.track)
    reasons = [
        _step_words(felt, song, before, wanted.goal),
        None if song.loved is None else f"by {song.loved}, who is loved",
        candidate.why or f"fits {song.mood.value}",
        learned,
        _course_words(song, before, wanted.goal),
        _variety_words(song, chosen[:place]),
    ]
    return tuple(reason for reason in reasons if reason)


def _step_words(felt: Mood, song: _Song, before: _Song | None, goal: MusicGoal) -> str | None:
    music = f"{song.mood.value} music"
    if goal == "calm":
        return None if felt is song.mood else f"{music} whatever the mood"
    if goal == "match":
        return None
    if song.mood is felt:
        return f"like the mood: {music}"
    if before is not None and before.mood is song.mood:
        return f"stays with {music}"
    return f"{'one step ' if before is not None and goals.BRIGHTER[before.mood] is song.mood else ''}brighter: {music}"


def _course_words(song: _Song, before: _Song | None, goal: MusicGoal) -> str | None:
    sound = song.candidate.features
    if sound is None:
        return "its sound is not known"
    earlier = None if before is None or before.mood is not song.mood else before.candidate.features
    if goal == "lift":
        rises = earlier is not None and sound.valence > earlier.valence
        return f"{'rises to ' if rises else ''}valence {sound.valence:.2f}"
    if goal == "calm" and before is None:
        return f"begins high with energy {sound.energy:.2f}"
    falls = goal == "calm" and earlier is not None and sound.energy < earlier.energy
    return f"{'falls to ' if falls else ''}energy {sound.energy:.2f}"


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
