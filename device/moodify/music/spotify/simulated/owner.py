"""The part of the Web API that belongs to the owner: profile, liked and most heard songs, playlists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .arguments import found, limit_of, number, offset_of, track_uris
from .catalogue import OWNER
from .http import Answer, ApiError

if TYPE_CHECKING:
    from .catalogue import Playlist
    from .http import Request
    from .library import Library
    from .objects import Objects

#: How many items one request may add to a playlist.
ADD_LIMIT = 100
#: Furthest place in the list of playlists, says the description.
PLAYLISTS_OFFSET = 100_000
RANGES = {"short_term", "medium_term", "long_term"}
PUBLIC, PRIVATE = "playlist-modify-public", "playlist-modify-private"
SCOPE_LACKING = "Insufficient client scope"


class Owner:
    """Answers for the owner's profile and library."""

    def __init__(self, library: Library, objects: Objects) -> None:
        """Take the library and who writes its objects."""
        self._library, self._objects = library, objects

    def me(self, _: Request) -> Answer:
        """Answer ``GET /me``, without what is deprecated."""
        base = self._objects.base
        return Answer.of({"type": "user", "id": OWNER, "uri": f"spotify:user:{OWNER}", "href": f"{base}/users/{OWNER}", "display_name": "The owner", "images": []})

    def liked(self, request: Request) -> Answer:
        """Answer ``GET /me/tracks``, newest first."""
        limit, offset = limit_of(request), offset_of(request)
        saved = self._library.liked
        rows = [{"added_at": f"{one.added_at:%Y-%m-%dT%H:%M:%SZ}", "track": self._objects.track(one.song)} for one in saved[offset : offset + limit]]
        return Answer.of(self._objects.page("me/tracks", rows, limit=limit, offset=offset, total=len(saved), gap="track"))

    def top(self, request: Request) -> Answer:
        """Answer ``GET /me/top/tracks``; the same for each range of time."""
        if request.query.get("time_range", "medium_term") not in RANGES:
            raise ApiError(400, "Invalid time range")
        limit, offset = limit_of(request), offset_of(request)
        tracks = [self._objects.track(song) for song in self._library.top[offset : offset + limit]]
        return Answer.of(self._objects.page("me/top/tracks", tracks, limit=limit, offset=offset, total=len(self._library.top)))

    def playlists(self, request: Request) -> Answer:
        """Answer ``GET /me/playlists``."""
        limit, offset = limit_of(request), offset_of(request, most=PLAYLISTS_OFFSET)
        own = self._library.own()
        items = [self._objects.playlist(playlist) for playlist in own[offset : offset + limit]]
        return Answer.of(self._objects.page("me/playlists", items, limit=limit, offset=offset, total=len(own)))

    def make_playlist(self, request: Request) -> Answer:
        """Answer ``POST /me/playlists``; public unless the body says otherwise."""
        body = request.json()
        name, description, public = body.get("name"), body.get("description", ""), body.get("public", True)
        if not isinstance(name, str) or not name or not isinstance(description, str) or not isinstance(public, bool):
            raise ApiError(400, "Missing required field: name")
        _require_scope(request, public=public)
        playlist = self._library.make(name, description=description, public=public)
        return Answer.of(self._objects.playlist(playlist, full=True), 201)

    def items(self, request: Request, key: str) -> Answer:
        """Answer ``GET /playlists/{id}/items``: the owner's own only."""
        limit, offset = limit_of(request), offset_of(request)
        return Answer.of(self._objects.rows(self._own(key), limit=limit, offset=offset))

    def add_items(self, request: Request, key: str) -> Answer:
        """Answer ``POST /playlists/{id}/items``."""
        body = request.json()
        playlist = self._own(key)
        _require_scope(request, public=playlist.public)
        uris = track_uris(request.query["uris"].split(",") if "uris" in request.query else body.get("uris"))
        if len(uris) > ADD_LIMIT:
            raise ApiError(400, f"You can add a maximum of {ADD_LIMIT} tracks per request.")
        position: Any = number(request, "position", least=0) if "position" in request.query else body.get("position")
        if position is not None and (not isinstance(position, int) or not 0 <= position <= len(playlist.songs)):
            raise ApiError(400, "Index out of bounds")
        songs = [song for uri in uris for song in found(self._library.songs_in(uri))]
        changed = self._library.add(playlist, songs, position)
        return Answer.of({"snapshot_id": str(changed.version)}, 201)

    def _own(self, key: str) -> Playlist:
        playlist = found(self._library.playlists.get(key))
        if playlist.owner != OWNER:
            raise ApiError(403, "Forbidden")
        return playlist


def _require_scope(request: Request, *, public: bool) -> None:
    if (PUBLIC if public else PRIVATE) not in request.scopes:
        raise ApiError(403, SCOPE_LACKING)
