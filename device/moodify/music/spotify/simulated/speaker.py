"""The simulated speaker and its service: a real HTTP server on loopback, with levers.

A speaker that lives by the machine's clock::

    with SimulatedSpeaker() as speaker:
        player = SpotifyPlayer(simulated_sign_in(speaker.accounts_url), speaker=speaker.name, api_url=speaker.api_url)

One that lives a day in a moment: music, access tokens (3,600 s), the sign-in (six months), the sleep of an idle speaker, limits
and dates all go by ``clock``, so advance what it returns, give the same function to the adapter as ``now_s``, and let the
adapter's ``pause`` advance it::

    SimulatedSpeaker(clock=clock, starts=datetime(2026, 11, 21, 6, tzinfo=UTC), sleeps_after_s=600)

Only :meth:`~moodify.music.spotify.simulated.levers.Levers.slow` takes real time, for a client's time-out is real.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .accounts import Accounts
from .catalogue import Catalogue
from .connect import Connect
from .device import Device
from .home import HomeLevers
from .library import Library
from .service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from .connect import Order
    from .http import Answer, Request
    from .serving import Exchange

NAME = "Moodify simulated speaker"


class SimulatedSpeaker(HomeLevers):
    """A Connect speaker with Spotify's Web API and accounts service before it, on 127.0.0.1.

    It serves from construction until :meth:`close`. Properties and levers may be used from any thread.

    Args:
        clock: seconds that only go forward; all but :meth:`slow` goes by it.
        name: the speaker's name.
        catalogue: the music; unset takes what ships.
        library: what the owner keeps of it; unset takes a mixture.
        starts: the date that it is now; unset asks the machine.
        sleeps_after_s: the speaker falls asleep after so many seconds without music or an order; None never.
        tap: called with every exchange, in the server's thread, before the answer is sent.
        port: 0 lets the system choose.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        name: str = NAME,
        catalogue: Catalogue | None = None,
        library: Library | None = None,
        starts: datetime | None = None,
        sleeps_after_s: float | None = None,
        tap: Callable[[Exchange], None] | None = None,
        port: int = 0,
    ) -> None:
        """Bind and serve."""
        super().__init__(clock, name="simulated-speaker", port=port, tap=tap)
        self.catalogue = catalogue if catalogue is not None else Catalogue.shipped()
        self.library = library if library is not None else Library(self.catalogue)
        self.accounts = Accounts(clock)
        self._device = Device(name, 0, clock, sleeps_after_s=sleeps_after_s)
        self._connect = Connect(clock)
        self._connect.devices.append(self._device)
        self._clock = clock
        epoch = (starts if starts is not None else datetime.now(UTC)) - timedelta(seconds=clock())
        self.accounts_url = self._server.url
        self.api_url = f"{self.accounts_url}/v1/"
        self._service = Service(self.api_url.rstrip("/"), self._connect, self.catalogue, self.library, epoch)
        self._server.start()

    @property
    def name(self) -> str:
        """The speaker's name."""
        return self._device.name

    @property
    def orders(self) -> tuple[Order, ...]:
        """What the speaker was told and did, oldest first."""
        with self._lock:
            self._connect.pass_time()
            return tuple(self._connect.orders)

    @property
    def now_playing(self) -> str | None:
        """URI of the song that sounds now; None in silence."""
        with self._lock:
            self._connect.pass_time()
            head = self._connect.head
            return head.song.uri if head.playing and head.song is not None else None

    def _answer(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/authorize"):
            return self.accounts.authorize(request)
        if (request.method, request.path) == ("POST", "/api/token"):
            return self.accounts.token(request)
        return self._service.answer(replace(request, scopes=self.accounts.check(request)))
