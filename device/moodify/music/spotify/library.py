"""What can be read of the owner's music: search, contents, liked, top and recent songs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moodify.errors import CannotWork

from .connection import Connection
from .mapping import ContentsHidden
from .reading import tracks_of, uri_of

if TYPE_CHECKING:
    from moodify.types import Track

logger = logging.getLogger(__name__)

SEARCH_LIMIT = 10
PAGE = 50


class Library(Connection):
    """The reading side of a :class:`~moodify.music.port.Player`."""

    def search(self, text: str, *, limit: int = SEARCH_LIMIT) -> tuple[Track, ...]:
        """Return tracks for a search text, best first."""
        if not text.strip() or not 1 <= limit <= SEARCH_LIMIT:
            raise CannotWork(f"can't search for {text!r} with limit {limit}; give some words and a limit from 1 to {SEARCH_LIMIT}")
        with self._mapped():
            return tracks_of(self._spotify.search(text, limit=limit, type="track")["tracks"]["items"])

    def tracks_of(self, uri: str, *, limit: int = PAGE) -> tuple[Track, ...]:
        """Return tracks of a playlist, album, artist or track; empty for a playlist that Spotify shows to its owner only."""
        kind, key = uri_of(uri)
        if limit < 1:
            raise CannotWork(f"can't read {limit} tracks of {uri}; ask for 1 or more")
        with self._mapped():
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
                return self._playlist(key, limit)
            except ContentsHidden as hidden:
                logger.info("%s", hidden)
                return ()

    def _playlist(self, key: str, limit: int) -> tuple[Track, ...]:
        found: list[Track] = []
        for offset in range(0, limit, PAGE):
            page = self._spotify.playlist_items(key, limit=min(PAGE, limit - offset), offset=offset, additional_types=("track",))
            found.extend(tracks_of(row["item"] for row in page["items"] if row))
            if page["next"] is None:
                break
        return tuple(found)
