"""Which of the songs that fit a mood plays next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from moodify.music.song import Candidate
    from moodify.types import Track

#: A song that was heard so many songs ago has half the weight of one that was not heard; a choice of ours.
HALF_SONGS = 10.0


@dataclass(frozen=True, slots=True)
class Past:
    """What a choice looks back on."""

    heard: Sequence[str] = ()
    """URIs, the newest last, each once."""
    no_repeat: int = 0
    """So many songs back none comes again."""
    refused: Container[str] = frozenset()
    """URIs to which somebody said *not this*."""
    busy: Container[str] = frozenset()
    """URIs that play or are queued."""
    before: Track | None = None
    """The song that the chosen one follows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A song, and whether it was heard within the window because nothing else is left."""

    song: Candidate
    again: bool = False


def choose(songs: Sequence[Candidate], past: Past, draw: Callable[[Track], float]) -> Choice | None:
    """Return the song to play; None where there is none, or somebody refused them all.

    A song that was refused never comes. Of the others, the first of these groups that has a song is chosen from:

    1. not heard within the window, not playing or queued, and by another artist than the song before;
    2. the same, by any artist;
    3. all: the one that was heard longest ago, and one that plays or is queued only where it is alone.

    In the first two the highest score wins, the earlier song in a tie::

        score = fit · draw · recency        recency = ago / (ago + 10), for a song heard ``ago`` songs ago; else 1

    Args:
        songs: candidates, best first.
        past: what was heard, refused and put on.
        draw: from 0 to 1 for a song, once for each that may win: of the belief that it is welcome (Thompson sampling),
            or of chance alone. A draw weighs the fit, so that a song that fits well comes more often and none always.
    """
    ago = {uri: back for back, uri in enumerate(reversed(past.heard), start=1)}
    allowed = [song for song in songs if song.track.uri not in past.refused]
    fresh = [song for song in allowed if ago.get(song.track.uri, past.no_repeat + 1) > past.no_repeat and song.track.uri not in past.busy]
    others = [song for song in fresh if not _share_an_artist(song.track, past.before)]

    def score(song: Candidate) -> float:
        back = ago.get(song.track.uri)
        recency = 1.0 if back is None else back / (back + HALF_SONGS)
        return song.fit * draw(song.track) * recency

    if fresh:
        return Choice(max(others or fresh, key=score))
    if not allowed:
        return None
    oldest = max(allowed, key=lambda song: (song.track.uri not in past.busy, ago.get(song.track.uri, len(past.heard) + 1)))
    return Choice(oldest, again=True)


def _share_an_artist(one: Track, other: Track | None) -> bool:
    if other is None:
        return False
    return bool(_artists(one) & _artists(other))


def _artists(track: Track) -> set[str]:
    return {artist.strip().casefold() for artist in track.artist.split(",") if artist.strip()}
