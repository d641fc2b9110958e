"""The part of the Web API that gives orders to a speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arguments import TRACK, found, number, place_of, track_uris
from .http import Answer, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .connect import Connect
    from .device import Device
    from .http import Request
    from .library import Library

NOTHING = Answer(204)
ACCEPTED = Answer(202)


class Orders:
    """Checks orders and has them carried out."""

    def __init__(self, connect: Connect, library: Library) -> None:
        """Take the devices, and the library that knows what a URI plays."""
        self._connect, self._library = connect, library

    def play(self, request: Request) -> Answer:
        """Answer ``PUT /me/player/play``: a context, tracks, or what was paused."""
        body, connect = request.json(), self._connect
        device = self._target(request, activates=True)
        context_uri, uris, position_ms = body.get("context_uri"), body.get("uris"), body.get("position_ms", 0)
        if not isinstance(position_ms, int) or position_ms < 0:
            raise ApiError(400, "position_ms must be positive")
        if context_uri is None and uris is None:
            head = connect.head
            if head.song is None or (head.playing and device is connect.active):
                raise _restricted()
            return self._order(device, "resume", lambda: connect.resume(device))
        if context_uri is not None:
            if not isinstance(context_uri, str) or context_uri.startswith(TRACK):
                raise ApiError(400, "Can't have offset for context type: TRACK" if "offset" in body else "Unsupported context uri")
            songs, asked = list(found(self._library.songs_in(context_uri))), context_uri
            if not songs:
                raise _restricted()
        else:
            tracks = track_uris(uris)
            songs, asked = [song for uri in tracks for song in found(self._library.songs_in(uri))], tracks[0]
        place = place_of(body.get("offset"), [song.uri for song in songs])
        return self._order(device, "play", lambda: connect.play(device, songs, context_uri=context_uri, place=place, position_ms=position_ms), uri=asked)

    def transfer(self, request: Request) -> Answer:
        """Answer ``PUT /me/player``: make another device the active one; ``play`` makes it play."""
        body = request.json()
        ids = body.get("device_ids")
        if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], str):
            raise ApiError(400, "Exactly one device id must be given")
        device = self._connect.target(ids[0], activates=True)
        return self._order(device, "transfer", lambda: self._connect.transfer(device, play=bool(body.get("play"))))

    def pause(self, request: Request) -> Answer:
        """Answer ``PUT /me/player/pause``."""
        device, head = self._target(request), self._connect.head
        if not head.playing:
            raise _restricted()
        return self._order(device, "pause", head.pause)

    def next(self, request: Request) -> Answer:
        """Answer ``POST /me/player/next``."""
        return self._order(self._target(request), "next", self._connect.head.next)

    def add_to_queue(self, request: Request) -> Answer:
        """Answer ``POST /me/player/queue``."""
        uri = request.query.get("uri", "")
        if not uri.startswith(TRACK):
            raise ApiError(400, "Invalid track uri")
        songs = found(self._library.songs_in(uri))
        return self._order(self._target(request), "queue", lambda: self._connect.head.queue.extend(songs), uri=uri)

    def volume(self, request: Request) -> Answer:
        """Answer ``PUT /me/player/volume``."""
        percent = number(request, "volume_percent", least=0, most=100)
        device = self._target(request)
        if not device.supports_volume:
            raise ApiError(403, "Player command failed: Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
        return self._order(device, "volume", lambda: setattr(device, "volume_percent", percent), percent=percent)

    def _target(self, request: Request, *, activates: bool = False) -> Device:
        return self._connect.target(request.query.get("device_id"), activates=activates)

    def _order(self, device: Device, verb: str, act: Callable[[], None], *, uri: str | None = None, percent: int | None = None) -> Answer:
        return NOTHING if self._connect.carry_out(device, verb, act, uri=uri, percent=percent) else ACCEPTED


def _restricted() -> ApiError:
    return ApiError(403, "Player command failed: Restriction violated", "UNKNOWN")
