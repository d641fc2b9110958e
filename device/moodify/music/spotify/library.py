"""What can be read of the owner's music, and the playlists that are saved there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from moodify.errors import CannotWork

from .connection import Connection
from .mapping import ContentsHidden
from .reading import tracks_of, uri_of
from .saving import Saving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodify.types import Track

logger = logging.getLogger(__name__)

SEARCH_LIMIT = 10
#: Rows of a page, at most, wherever lists are read.
PAGE = 50
#: Rows that one call reads, at most: each page is a request.
MOST_READ = 1000


class Library(Connection):
    """The reading side of a :class:`~moodify.music.port.Player`.

    Gaps, episodes and files of the owner's own computer stand in Spotify's lists too; they are left out, so that fewer tracks
    may come back than there were rows.
    """

    def search(self, text: str, *, limit: int = SEARCH_LIMIT) -> tuple[Track, ...]:
        """Return tracks for a search text, best first."""
        if not text.strip() or not 1 <= limit <= SEARCH_LIMIT:
            raise CannotWork(f"can't search for {text!r} with limit {limit}; give some words and a limit from 1 to {SEARCH_LIMIT}")
        with self._mapped(reads=1):
            return tracks_of(self._spotify.search(text, limit=limit, type="track")["tracks"]["items"])

    def tracks_of(self, uri: str, *, limit: int = PAGE) -> tuple[Track, ...]:
        """Return tracks of a playlist, album, artist or track; empty for a playlist that Spotify shows to its owner only."""
        kind, key = uri_of(uri)
        _check(limit, f"tracks of {uri}")
        with self._mapped(reads=max(_pages(limit), 2)):
            if kind == "track":
                return tracks_of([self._spotify.track(key)])
            if kind == "album":
                return tracks_of(self._spotify.album(key)["tracks"]["items"])[:limit]
            if kind == "artist":
                # An artist's top tracks are not readable any more; a search by name is.
                name = self._spotify.artist(key)["name"].replace('"', "")
                items = self._spotify.search(f'artist:"{name}"', limit=min(limit, SEARCH_LIMIT), type="track")["tracks"]["items"]
                return tracks_of(item for item in items if item and any(artist["id"] == key for artist in item["artists"]))
            try:
                return _paged(limit, "item", lambda size, start: self._spotify.playlist_items(key, limit=size, offset=start, additional_types=("track",)))
            except ContentsHidden as hidden:
                logger.info("%s", hidden)
                return ()

    def liked(self, *, limit: int = 200) -> tuple[Track, ...]:
        """Return the owner's liked songs, newest first."""
        _check(limit, "liked songs")
        with self._mapped(reads=_pages(limit)):
            return _paged(limit, "track", lambda size, start: self._spotify.current_user_saved_tracks(limit=size, offset=start))

    def top(self, *, limit: int = 100) -> tuple[Track, ...]:
        """Return what the owner hears most, of about the last six months, best first."""
        _check(limit, "most heard songs")
        with self._mapped(reads=_pages(limit)):
            return _paged(limit, None, lambda size, start: self._spotify.current_user_top_tracks(limit=size, offset=start, time_range="medium_term"))

    def recent(self, *, limit: int = PAGE) -> tuple[Track, ...]:
        """Return what the owner heard lately, newest first, each once; Spotify tells of the last 50."""
        _check(limit, "songs heard lately", most=PAGE)
        with self._mapped(reads=1):
            rows = self._spotify.current_user_recently_played(limit=limit)["items"]
            return tuple(dict.fromkeys(tracks_of(row["track"] for row in rows if row)))

    def save_playlist(self, name: str, uris: Sequence[str], *, description: str = "") -> str:
        """Make a private playlist of the owner's from tracks and return its URI; an empty one of that name is filled."""
        saving = Saving(self._spotify, name, uris, description)
        with self._mapped():
            return saving.save()


def _check(limit: int, what: str, *, most: int = MOST_READ) -> None:
    if not 1 <= limit <= most:
        raise CannotWork(f"can't read {limit} {what}; ask for 1 to {most}")


def _pages(limit: int) -> int:
    return -(-limit // PAGE)


def _paged(limit: int, inside: str | None, read: Callable[[int, int], dict[str, Any]]) -> tuple[Track, ...]:
    """Read a list page by page; ``inside`` is where a row holds its track."""
    found: list[Track] = []
    for start in range(0, limit, PAGE):
        page = read(min(PAGE, limit - start), start)
        rows = page["items"]
        found.extend(tracks_of(rows if inside is None else (row[inside] for row in rows if row)))
        if page["next"] is None:
            break
    return tuple(found)
