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

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from .accounts import Accounts
from .catalogue import Catalogue
from .connect import Connect, Order
from .device import Device
from .home import HomeLevers
from .http import Answer, ApiError, Request
from .levers import Faults
from .library import Library
from .server import LoopbackServer
from .service import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

NAME = "Moodify simulated speaker"
#: Requests whose method and path are remembered.
REMEMBERED = 1000


@dataclass(frozen=True)
class Exchange:
    """One request and what was answered, for a tap."""

    request: Request
    answer: Answer


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
        self.catalogue = catalogue if catalogue is not None else Catalogue.shipped()
        self.library = library if library is not None else Library(self.catalogue)
        self.faults = Faults(clock)
        self.tap = tap
        self.accounts = Accounts(clock)
        self._lock = threading.RLock()
        self._requests: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._device = Device(name, 0, clock, sleeps_after_s=sleeps_after_s)
        self._connect = Connect(clock)
        self._connect.devices.append(self._device)
        self._clock = clock
        epoch = (starts if starts is not None else datetime.now(UTC)) - timedelta(seconds=clock())
        self._server = LoopbackServer(self.respond, name="simulated-speaker", port=port)
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
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of every request that arrived, oldest first."""
        with self._lock:
            return tuple(self._requests)

    @property
    def now_playing(self) -> str | None:
        """URI of the song that sounds now; None in silence."""
        with self._lock:
            self._connect.pass_time()
            head = self._connect.head
            return head.song.uri if head.playing and head.song is not None else None

    def close(self) -> None:
        """Stop serving and end the threads. Safe to call twice."""
        if not self.faults.closed.is_set():
            self.faults.closed.set()
            self._server.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def respond(self, request: Request) -> Answer | None:
        """Return the answer to a request; None closes the connection without one. Called by the server's threads."""
        self.faults.closed.wait(self.faults.slow_s)
        with self._lock:
            self._requests.append((request.method, request.path))
            return self.faults.respond(lambda: self._carry_out(request))

    def _carry_out(self, request: Request) -> Answer:
        try:
            answer = self._answer(request)
        except ApiError as refusal:
            answer = refusal.answer()
        if self.tap is not None:
            self.tap(Exchange(request, answer))
        return answer

    def _answer(self, request: Request) -> Answer:
        trouble = self.faults.answer(request.path)
        if trouble is not None:
            return trouble
        if (request.method, request.path) == ("GET", "/authorize"):
            return self.accounts.authorize(request)
        if (request.method, request.path) == ("POST", "/api/token"):
            return self.accounts.token(request)
        return self._service.answer(replace(request, scopes=self.accounts.check(request)))
