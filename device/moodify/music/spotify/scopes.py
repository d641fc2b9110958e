"""What the sign-in asks the owner's permission for: as little as the configuration needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.config.model import MoodMusic
from moodify.types import FELT_MOODS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moodify.config.model import MusicConfig
    from moodify.types import MusicSource


@dataclass(frozen=True, slots=True)
class Permission:
    """One of Spotify's scopes, and what it is for."""

    scope: str
    why: str
    """For a person, in one line."""


#: Without these nothing plays; the others are each for one thing that may be missing.
PLAYBACK = (
    Permission("user-read-playback-state", "to see your speakers and what plays"),
    Permission("user-modify-playback-state", "to play, queue, skip and pause, and to set the volume"),
)
#: Spotify's reference names this scope for the rows of any playlist; without it a private one is as good as gone.
PLAYLISTS = Permission("playlist-read-private", "to read the playlists that [music.moods] names, private ones too")
SAVING = Permission("playlist-modify-private", "to save playlists that you ask for (music.spotify.save_playlists)")
SOURCES: dict[MusicSource, Permission] = {
    "liked": Permission("user-library-read", 'to choose from your liked songs ("liked" in music.sources)'),
    "top": Permission("user-top-read", 'to choose from what you hear most ("top" in music.sources)'),
    "recent": Permission("user-read-recently-played", 'to choose from what you heard lately ("recent" in music.sources)'),
}
EVERYTHING = (*PLAYBACK, PLAYLISTS, *SOURCES.values(), SAVING)


def wanted(music: MusicConfig) -> tuple[Permission, ...]:
    """Return what the configuration needs, in the order of :data:`EVERYTHING`.

    Reading playlists is asked for only where a mood's ``uri`` is one: whether it is a private one can't be known before it is
    read. A source counts where a mood without a ``uri`` uses it.
    """
    moods = [music.moods.get(mood, MoodMusic()) for mood in FELT_MOODS]
    needed = set(PLAYBACK)
    if any(mood.uri is not None and mood.uri.startswith("spotify:playlist:") for mood in moods):
        needed.add(PLAYLISTS)
    for mood in moods:
        if mood.uri is None:
            sources = music.sources if mood.sources is None else mood.sources
            needed.update(SOURCES[source] for source in sources if source in SOURCES)
    if music.spotify.save_playlists:
        needed.add(SAVING)
    return tuple(permission for permission in EVERYTHING if permission in needed)


def missing(permissions: Iterable[Permission], granted: str) -> tuple[Permission, ...]:
    """Return those of the permissions that ``granted`` (scopes with spaces between them) lacks."""
    there = set(granted.split())
    return tuple(permission for permission in permissions if permission.scope not in there)
