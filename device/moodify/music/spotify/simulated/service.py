"""The simulated Web API: which request goes where, and what its token must allow."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .browsing import Browsing
from .http import ApiError
from .objects import Objects
from .orders import Orders
from .owner import PRIVATE, PUBLIC, SCOPE_LACKING, Owner
from .playback import PlaybackState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .catalogue import Catalogue
    from .connect import Connect
    from .http import Answer, Request
    from .library import Library

KEY = r"([0-9A-Za-z]+)"
#: Any one of a route's scopes opens it; none at all are asked for what anybody may read. As in Spotify's description,
#: but that /me asks for scopes there only for its deprecated fields.
EVERYBODY: tuple[str, ...] = ()
STATE = ("user-read-playback-state",)
QUEUE = ("user-read-playback-state", "user-read-currently-playing")
ORDER = ("user-modify-playback-state",)
LISTS = ("playlist-read-private",)
CHANGE = (PUBLIC, PRIVATE)


class Service:
    """Answers what stands under ``/v1``. Not thread-safe: the server asks one thing at a time.

    Args:
        base: the address that ends with ``/v1``.
        connect: devices and what plays.
        catalogue: the music.
        library: the owner's part of it.
        epoch: the date at which the clock stood at zero.
    """

    def __init__(self, base: str, connect: Connect, catalogue: Catalogue, library: Library, epoch: datetime) -> None:
        """Lay the routes."""
        self.objects = Objects(base)
        self.premium = True
        """Whether orders are taken."""
        self.registered = True
        """Whether the owner is among the app's users."""
        self.withdrawn: set[str] = set()
        """Scopes that a token does not open any more, whatever it says."""
        self._connect = connect
        owner, browsing = Owner(library, self.objects), Browsing(catalogue, self.objects)
        state, orders = PlaybackState(connect, self.objects, epoch), Orders(connect, library)
        self._routes: list[tuple[str, re.Pattern[str], tuple[str, ...], Callable[..., Answer]]] = [
            (method, re.compile(f"/v1{path}"), scopes, handler)
            for method, path, scopes, handler in (
                ("GET", "/me", EVERYBODY, owner.me),
                ("GET", "/me/tracks", ("user-library-read",), owner.liked),
                ("GET", "/me/top/tracks", ("user-top-read",), owner.top),
                ("GET", "/me/playlists", LISTS, owner.playlists),
                ("POST", "/me/playlists", CHANGE, owner.make_playlist),
                ("GET", f"/playlists/{KEY}/items", LISTS, owner.items),
                ("POST", f"/playlists/{KEY}/items", CHANGE, owner.add_items),
                ("GET", "/search", EVERYBODY, browsing.search),
                ("GET", f"/tracks/{KEY}", EVERYBODY, browsing.track),
                ("GET", f"/albums/{KEY}", EVERYBODY, browsing.album),
                ("GET", f"/artists/{KEY}", EVERYBODY, browsing.artist),
                ("GET", "/me/player", STATE, state.state),
                ("GET", "/me/player/devices", STATE, state.devices),
                ("GET", "/me/player/queue", QUEUE, state.queue),
                ("GET", "/me/player/recently-played", ("user-read-recently-played",), state.recently_played),
                ("PUT", "/me/player", ORDER, orders.transfer),
                ("PUT", "/me/player/play", ORDER, orders.play),
                ("PUT", "/me/player/pause", ORDER, orders.pause),
                ("PUT", "/me/player/volume", ORDER, orders.volume),
                ("POST", "/me/player/next", ORDER, orders.next),
                ("POST", "/me/player/queue", ORDER, orders.add_to_queue),
            )
        ]

    def answer(self, request: Request) -> Answer:
        """Answer a request that is signed in.

        Raises:
            ApiError: any refusal.
        """
        self._connect.pass_time()
        request = replace(request, scopes=request.scopes - self.withdrawn)
        if not self.registered:
            raise ApiError(403, "User not registered in the Developer Dashboard")
        for method, path, scopes, handler in self._routes:
            match = path.fullmatch(request.path)
            if match is not None and method == request.method:
                if scopes and request.scopes.isdisjoint(scopes):
                    raise ApiError(403, SCOPE_LACKING)
                if scopes is ORDER and not self.premium:
                    raise ApiError(403, "Player command failed: Premium required", "PREMIUM_REQUIRED")
                return handler(request, *match.groups())
        raise ApiError(404, "Service not found")
