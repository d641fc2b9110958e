"""The simulated Web API: which request does what, checked as the real service checks it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .catalogue import OWNER, Catalogue, Playlist
from .http import Answer, ApiError, Request
from .objects import Objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from .device import Device

SEARCH_LIMIT = 10
PAGE_LIMIT = 50
KEY = r"([0-9A-Za-z]+)"
NOTHING = Answer(204)
ACCEPTED = Answer(202)


class Service:
    """Answers what stands under ``/v1``. Not thread-safe: the server asks one thing at a time."""

    def __init__(self, base: str, device: Device, catalogue: Catalogue) -> None:
        """Take the address that ends with ``/v1``, the speaker and the music."""
        self._device, self._catalogue, self._objects = device, catalogue, Objects(base)
        self._epoch = datetime.now(UTC) - timedelta(seconds=device.clock())
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = [
            (method, re.compile(f"/v1{path}"), handler)
            for method, path, handler in (
                ("GET", "/me", self._me),
                ("GET", "/me/playlists", self._my_playlists),
                ("GET", "/me/player", self._state),
                ("PUT", "/me/player", self._transfer),
                ("GET", "/me/player/currently-playing", self._currently_playing),
                ("GET", "/me/player/devices", self._devices),
                ("GET", "/me/player/recently-played", self._recently_played),
                ("GET", "/me/player/queue", self._queue),
                ("POST", "/me/player/queue", self._add_to_queue),
                ("PUT", "/me/player/play", self._play),
                ("PUT", "/me/player/pause", self._pause),
                ("PUT", "/me/player/seek", self._seek),
                ("PUT", "/me/player/repeat", self._repeat),
                ("PUT", "/me/player/shuffle", self._shuffle),
                ("PUT", "/me/player/volume", self._volume),
                ("POST", "/me/player/next", self._next),
                ("POST", "/me/player/previous", self._previous),
                ("GET", "/search", self._search),
                ("GET", f"/tracks/{KEY}", self._track),
                ("GET", f"/albums/{KEY}", self._album),
                ("GET", f"/artists/{KEY}", self._artist),
                ("GET", f"/playlists/{KEY}", self._playlist),
                ("GET", f"/playlists/{KEY}/items", self._playlist_items),
            )
        ]

    def answer(self, request: Request) -> Answer:
        """Answer a request that is signed in.

        Raises:
            ApiError: any refusal.
        """
        self._device.pass_time()
        for method, path, handler in self._routes:
            match = path.fullmatch(request.path)
            if match is not None and method == request.method:
                return handler(request, *match.groups())
        raise ApiError(404, "Service not found")

    # What is there

    def _me(self, _: Request) -> Answer:
        base = self._objects.base
        return Answer.of({"type": "user", "id": OWNER, "uri": f"spotify:user:{OWNER}", "href": f"{base}/users/{OWNER}", "display_name": "The owner", "images": []})

    def _my_playlists(self, request: Request) -> Answer:
        limit, offset = self._page_of(request, default=20, most=PAGE_LIMIT)
        own = [playlist for playlist in self._catalogue.playlists.values() if playlist.owner == OWNER]
        items = [self._objects.playlist(playlist, full=False, readable=True) for playlist in own[offset : offset + limit]]
        return Answer.of(self._objects.page("me/playlists", items, limit=limit, offset=offset, total=len(own)))

    def _search(self, request: Request) -> Answer:
        query = request.query
        if not query.get("q"):
            raise ApiError(400, "No search query")
        if query.get("type") != "track":
            raise ApiError(400, "Bad search type field: the simulated service knows tracks only")
        limit, offset = self._page_of(request, default=5, most=SEARCH_LIMIT)
        found = self._catalogue.search(query["q"])

        def address(start: int) -> str:
            return f"{self._objects.base}/search?{urlencode({'q': query['q'], 'type': 'track', 'offset': start, 'limit': limit})}"

        tracks = [self._objects.track(song) for song in found[offset : offset + limit]]
        return Answer.of({"tracks": self._objects.page("search", tracks, limit=limit, offset=offset, total=len(found), more=address)})

    def _track(self, _: Request, key: str) -> Answer:
        return Answer.of(self._objects.track(_found(self._catalogue.songs.get(key))))

    def _album(self, _: Request, key: str) -> Answer:
        album = _found(self._catalogue.albums.get(key))
        return Answer.of(self._objects.album(album, self._catalogue.songs_on(album)))

    def _artist(self, _: Request, key: str) -> Answer:
        return Answer.of(self._objects.artist(_found(self._catalogue.artists.get(key))))

    def _playlist(self, _: Request, key: str) -> Answer:
        playlist: Playlist = _found(self._catalogue.playlists.get(key))
        return Answer.of(self._objects.playlist(playlist, full=True, readable=playlist.owner == OWNER))

    def _playlist_items(self, request: Request, key: str) -> Answer:
        playlist: Playlist = _found(self._catalogue.playlists.get(key))
        if playlist.owner != OWNER:
            raise ApiError(403, "Forbidden")
        limit, offset = self._page_of(request, default=20, most=PAGE_LIMIT)
        return Answer.of(self._objects.rows(playlist, limit=limit, offset=offset))

    # What plays

    def _state(self, _: Request) -> Answer:
        if not self._device.active:
            return NOTHING
        head = self._device.head
        return Answer.of({**self._playing(), "device": self._device.as_object(), "repeat_state": head.repeat, "shuffle_state": head.shuffle})

    def _currently_playing(self, _: Request) -> Answer:
        return Answer.of(self._playing()) if self._device.active and self._device.head.song is not None else NOTHING

    def _playing(self) -> dict[str, Any]:
        head = self._device.head
        value: dict[str, Any] = {
            "timestamp": int(self._date(self._device.clock()).timestamp() * 1000),
            "progress_ms": head.position_ms,
            "is_playing": head.playing,
            "currently_playing_type": "track" if head.song is not None else "unknown",
            "actions": {},
        }
        if head.context_uri is not None:
            value["context"] = self._objects.context(head.context_uri)
        if head.song is not None:
            value["item"] = self._objects.track(head.song)
        return value

    def _devices(self, _: Request) -> Answer:
        return Answer.of({"devices": [self._device.as_object()] if self._device.listed else []})

    def _queue(self, _: Request) -> Answer:
        head = self._device.head
        value: dict[str, Any] = {"queue": [self._objects.track(song) for song in head.coming()]}
        if head.song is not None:
            value["currently_playing"] = self._objects.track(head.song)
        return Answer.of(value)

    def _recently_played(self, request: Request) -> Answer:
        limit, _ = self._page_of(request, default=20, most=PAGE_LIMIT)
        items = []
        for played in list(self._device.head.history)[::-1][:limit]:
            item: dict[str, Any] = {"track": self._objects.track(played.song), "played_at": self._date(played.ended_s).isoformat(timespec="milliseconds")}
            if played.context_uri is not None:
                item["context"] = self._objects.context(played.context_uri)
            items.append(item)
        return Answer.of({"href": f"{self._objects.base}/me/player/recently-played?limit={limit}", "limit": limit, "cursors": {}, "total": len(items), "items": items})

    # Orders

    def _play(self, request: Request) -> Answer:
        body, device = request.json(), self._device
        device.require(request.query.get("device_id"), activates=True)
        if "context_uri" not in body and "uris" not in body:
            if device.head.playing and device.active:
                raise ApiError(403, "Player command failed: Restriction violated", "UNKNOWN")
            if device.head.song is None:
                raise ApiError(403, "Player command failed: Restriction violated", "UNKNOWN")
            return self._order("resume", device.resume)
        context_uri, uris = body.get("context_uri"), body.get("uris")
        if context_uri is not None:
            if not isinstance(context_uri, str) or context_uri.startswith("spotify:track:"):
                raise ApiError(400, "Can't have offset for context type: TRACK" if "offset" in body else "Unsupported context uri")
            songs = list(_found(self._catalogue.songs_in(context_uri)))
            asked = context_uri
        else:
            if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) and uri.startswith("spotify:track:") for uri in uris):
                raise ApiError(400, "Invalid track uris")
            songs = [song for uri in uris for song in _found(self._catalogue.songs_in(uri))]
            asked = uris[0]
        place, position_ms = _place(body.get("offset"), [song.uri for song in songs]), body.get("position_ms", 0)
        if not isinstance(position_ms, int) or position_ms < 0:
            raise ApiError(400, "position_ms must be positive")
        return self._order("play", lambda: device.play(songs, context_uri, place, position_ms), asked)

    def _transfer(self, request: Request) -> Answer:
        body, device = request.json(), self._device
        ids = body.get("device_ids")
        if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], str):
            raise ApiError(400, "Exactly one device id must be given")
        device.require(ids[0], activates=True)

        def act() -> None:
            device.active = True
            if body.get("play"):
                device.resume()

        return self._order("transfer", act)

    def _pause(self, request: Request) -> Answer:
        self._require(request)
        if not self._device.head.playing:
            raise ApiError(403, "Player command failed: Restriction violated", "UNKNOWN")
        return self._order("pause", lambda: setattr(self._device.head, "playing", False))

    def _next(self, request: Request) -> Answer:
        self._require(request)
        return self._order("next", self._device.head.next)

    def _previous(self, request: Request) -> Answer:
        self._require(request)
        return self._order("previous", self._device.head.previous)

    def _add_to_queue(self, request: Request) -> Answer:
        uri = request.query.get("uri", "")
        if not uri.startswith("spotify:track:"):
            raise ApiError(400, "Invalid track uri")
        songs = _found(self._catalogue.songs_in(uri))
        self._require(request)
        return self._order("queue", lambda: self._device.head.queue.extend(songs), uri)

    def _seek(self, request: Request) -> Answer:
        position_ms = _number(request, "position_ms", least=0)
        self._require(request)
        return self._order("seek", lambda: self._device.head.seek(position_ms))

    def _repeat(self, request: Request) -> Answer:
        state = request.query.get("state")
        if state not in {"track", "context", "off"}:
            raise ApiError(400, "Invalid repeat state")
        self._require(request)
        return self._order("repeat", lambda: setattr(self._device.head, "repeat", state))

    def _shuffle(self, request: Request) -> Answer:
        state = request.query.get("state")
        if state not in {"true", "false"}:
            raise ApiError(400, "Invalid shuffle state")
        self._require(request)
        return self._order("shuffle", lambda: setattr(self._device.head, "shuffle", state == "true"))

    def _volume(self, request: Request) -> Answer:
        percent = _number(request, "volume_percent", least=0, most=100)
        self._require(request)
        if not self._device.supports_volume:
            raise ApiError(403, "Player command failed: Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
        return self._order("volume", lambda: setattr(self._device, "volume_percent", percent))

    def _require(self, request: Request) -> None:
        self._device.require(request.query.get("device_id"), activates=False)

    def _order(self, verb: str, act: Callable[[], None], uri: str | None = None) -> Answer:
        return NOTHING if self._device.carry_out(verb, act, uri) else ACCEPTED

    def _date(self, clock_s: float) -> datetime:
        return self._epoch + timedelta(seconds=clock_s)

    def _page_of(self, request: Request, *, default: int, most: int) -> tuple[int, int]:
        limit = _number(request, "limit", least=1, most=most, default=default, wrong="Invalid limit")
        return limit, _number(request, "offset", least=0, most=1000, default=0, wrong="Invalid offset")


def _found(thing: Any) -> Any:
    if thing is None:
        raise ApiError(404, "Resource not found")
    return thing


def _number(request: Request, name: str, *, least: int, most: int | None = None, default: int | None = None, wrong: str | None = None) -> int:
    text = request.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not re.fullmatch(r"-?\d{1,9}", text) or int(text) < least or (most is not None and int(text) > most):
        raise ApiError(400, wrong or f"Invalid {name}")
    return int(text)


def _place(offset: Any, uris: list[str]) -> int:
    if offset is None:
        return 0
    if isinstance(offset, dict) and offset.get("uri") in uris:
        return uris.index(offset["uri"])
    position = offset.get("position") if isinstance(offset, dict) else None
    if isinstance(position, int) and 0 <= position < len(uris):
        return position
    raise ApiError(400, "Invalid offset")
