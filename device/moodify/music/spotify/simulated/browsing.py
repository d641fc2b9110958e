"""The part of the Web API that is the same for everybody: search, tracks, albums, artists."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .arguments import found, limit_of, offset_of
from .http import Answer, ApiError

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .http import Request
    from .objects import Objects

SEARCH_LIMIT = 10
SEARCH_DEFAULT = 5
SEARCH_OFFSET = 1000


class Browsing:
    """Answers for the catalogue."""

    def __init__(self, catalogue: Catalogue, objects: Objects) -> None:
        """Take the music and who writes its objects."""
        self._catalogue, self._objects = catalogue, objects

    def search(self, request: Request) -> Answer:
        """Answer ``GET /search`` for tracks."""
        query = request.query
        if not query.get("q"):
            raise ApiError(400, "No search query")
        if query.get("type") != "track":
            raise ApiError(400, "Bad search type field: the simulated service knows tracks only")
        limit, offset = limit_of(request, default=SEARCH_DEFAULT, most=SEARCH_LIMIT), offset_of(request, most=SEARCH_OFFSET)
        hits = self._catalogue.search(query["q"])

        def address(start: int) -> str:
            return f"{self._objects.base}/search?{urlencode({'q': query['q'], 'type': 'track', 'offset': start, 'limit': limit})}"

        tracks = [self._objects.track(song) for song in hits[offset : offset + limit]]
        return Answer.of({"tracks": self._objects.page("search", tracks, limit=limit, offset=offset, total=len(hits), more=address)})

    def track(self, _: Request, key: str) -> Answer:
        """Answer ``GET /tracks/{id}``."""
        return Answer.of(self._objects.track(found(self._catalogue.songs.get(key))))

    def album(self, _: Request, key: str) -> Answer:
        """Answer ``GET /albums/{id}``."""
        album = found(self._catalogue.albums.get(key))
        return Answer.of(self._objects.album(album, self._catalogue.songs_on(album)))

    def artist(self, _: Request, key: str) -> Answer:
        """Answer ``GET /artists/{id}``."""
        return Answer.of(self._objects.artist(found(self._catalogue.artists.get(key))))
