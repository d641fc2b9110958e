"""What the catalogue says of songs, and the names of where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.music.song import Source

if TYPE_CHECKING:
    from moodify.music.song import Features
    from moodify.types import Track

#: How a person reads where a song came from, as part of a sentence.
_SAID = {
    Source.LIKED: "from your liked songs",
    Source.TOP: "from what you hear most",
    Source.RECENT: "from what you heard lately",
    Source.IMPORTED: "from your import",
}
_PLAYLIST = "playlist:"

IMPORTED = Source.IMPORTED.value
#: How the origins of searches begin.
SEARCH = "search:"


def origin_of_uri(uri: str) -> str:
    """Return the origin of what the owner chose for a mood: ``playlist:spotify:playlist:…``."""
    return f"{_PLAYLIST}{uri}"


def origin_of_search(text: str) -> str:
    """Return the origin of what a search finds: ``search:sunny soul``."""
    return f"{SEARCH}{text}"


def origin_in_words(origin: str) -> str:
    """Say an origin, as part of a sentence."""
    if origin.startswith(SEARCH):
        return f"found by the search for {origin.removeprefix(SEARCH)!r}"
    if origin.startswith(_PLAYLIST):
        return "from your own choice"
    return _SAID[Source(origin)]


@dataclass(frozen=True, slots=True)
class Song:
    """A song to be kept."""

    track: Track
    album: str | None = None
    features: Features | None = None


@dataclass(frozen=True, slots=True)
class KnownSong:
    """A song of the catalogue."""

    song: Song
    origins: frozenset[str]
    """Where it came from: ``liked``, ``top``, ``recent``, ``imported``, ``playlist:URI``, ``search:TEXT``."""
