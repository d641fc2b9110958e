"""What the owner of the simulated account keeps: liked songs, what is heard most, playlists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .catalogue import OWNER, Playlist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .catalogue import Catalogue, Song

#: When the newest of the shipped liked songs was liked; the others on the days before.
LAST_LIKED = datetime(2026, 1, 1, tzinfo=UTC)
#: So many are liked and heard most where nothing else is given: liked songs fill more than one page of 50.
LIKED, TOP = 60, 30


@dataclass(frozen=True, slots=True)
class Saved:
    """A liked song."""

    song: Song
    added_at: datetime


class Library:
    """The owner's library over a catalogue. Not thread-safe: the server asks one thing at a time.

    Args:
        catalogue: the music.
        liked: newest first; unset takes a mixture of all moods.
        top: most heard first; likewise.
    """

    def __init__(self, catalogue: Catalogue, *, liked: Iterable[Song] | None = None, top: Iterable[Song] | None = None) -> None:
        """Keep playlists of its own, so that one catalogue may serve several households."""
        self._catalogue = catalogue
        chosen = list(liked) if liked is not None else _mixed(catalogue, "liked")[:LIKED]
        self.liked = [Saved(song, LAST_LIKED - timedelta(days=days)) for days, song in enumerate(chosen)]
        self.top = list(top) if top is not None else _mixed(catalogue, "top")[:TOP]
        self.playlists = dict(catalogue.playlists)

    def own(self) -> list[Playlist]:
        """Return the owner's playlists."""
        return [playlist for playlist in self.playlists.values() if playlist.owner == OWNER]

    def make(self, name: str, *, description: str, public: bool) -> Playlist:
        """Make an empty playlist of the owner's; a name may be used again."""
        made = Playlist(name, OWNER, (), description=description, public=public, serial=len(self.playlists))
        self.playlists[made.id] = made
        return made

    def add(self, playlist: Playlist, songs: Sequence[Song], position: int | None) -> Playlist:
        """Put songs into a playlist, at its end where no position is given."""
        at = len(playlist.songs) if position is None else position
        changed = replace(playlist, songs=(*playlist.songs[:at], *songs, *playlist.songs[at:]), version=playlist.version + 1)
        self.playlists[playlist.id] = changed
        return changed

    def songs_in(self, uri: str) -> tuple[Song, ...] | None:
        """Return what a track, album, artist or playlist URI plays; None where there is no such thing."""
        playlist = next((playlist for playlist in self.playlists.values() if playlist.uri == uri), None)
        return playlist.songs if playlist is not None else self._catalogue.songs_in(uri)


def _mixed(catalogue: Catalogue, purpose: str) -> list[Song]:
    """Return all songs in an order that is the same in every run and knows no mood."""
    return sorted(catalogue.songs.values(), key=lambda song: hashlib.sha256(f"{purpose}/{song.id}".encode()).digest())
