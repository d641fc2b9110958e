"""The simulated speaker and its service: a real HTTP server on loopback, with levers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from .accounts import Accounts
from .catalogue import Catalogue
from .device import Device, Order
from .http import Answer, ApiError, Request
from .levers import Faults, Levers
from .service import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

NAME = "Moodify simulated speaker"
#: Requests whose method and path are remembered.
REMEMBERED = 1000
#: A client that is silent for so long loses its connection, so that no thread waits for ever.
IDLE_S = 60.0
#: Longest wait, at close, for the threads of open connections.
HANG_UP_S = 5.0
#: No order of this API is longer.
LONGEST_BODY = 100_000


@dataclass(frozen=True)
class Exchange:
    """One request and what was answered, for a tap."""

    request: Request
    answer: Answer


class SimulatedSpeaker(Levers):
    """A Connect speaker with Spotify's Web API and accounts service before it, on 127.0.0.1.

    It serves from construction until :meth:`close`. Properties and levers may be used from any thread.

    Args:
        clock: seconds that only go forward; music and tokens run by it.
        name: the speaker's name.
        catalogue: the music; unset takes what ships.
        tap: called with every exchange, in the server's thread, before the answer is sent.
        port: 0 lets the system choose.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        name: str = NAME,
        catalogue: Catalogue | None = None,
        tap: Callable[[Exchange], None] | None = None,
        port: int = 0,
    ) -> None:
        """Bind and serve."""
        self.catalogue = catalogue if catalogue is not None else Catalogue.shipped()
        self.faults = Faults(clock)
        self.tap = tap
        self.accounts = Accounts(clock)
        self._lock = threading.RLock()
        self._requests: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._device = Device(name, clock)
        self._server = _Server(("127.0.0.1", port), self)
        self.accounts_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api_url = f"{self.accounts_url}/v1/"
        self._service = Service(self.api_url.rstrip("/"), self._device, self.catalogue)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="simulated-speaker", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The speaker's name."""
        return self._device.name

    @property
    def orders(self) -> tuple[Order, ...]:
        """What the speaker was told and did, oldest first."""
        with self._lock:
            self._device.pass_time()
            return tuple(self._device.orders)

    @property
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of every request that arrived, oldest first."""
        with self._lock:
            return tuple(self._requests)

    @property
    def now_playing(self) -> str | None:
        """URI of the song that sounds now; None in silence."""
        with self._lock:
            self._device.pass_time()
            head = self._device.head
            return head.song.uri if head.playing and head.song is not None else None

    def fall_asleep(self, *, wakes_after_s: float | None = 2.0) -> None:
        """Go to sleep and leave the list; an order that names it is refused but wakes it after so many seconds."""
        with self._lock:
            self._device.sleep(wakes_after_s)

    def wake(self) -> None:
        """Wake up by somebody else's hand; listed, but not active."""
        with self._lock:
            self._device.wake()

    def vanish(self) -> None:
        """Lose power or network: gone from the list, and no order wakes it."""
        self.fall_asleep(wakes_after_s=None)

    def reappear(self) -> None:
        """Come back after :meth:`vanish`, listed but not active."""
        self.wake()

    def new_id(self) -> None:
        """Come back under another device id; the music goes on."""
        with self._lock:
            self._device.new_id()

    def restrict(self) -> None:
        """Take no more orders from apps."""
        with self._lock:
            self._device.restricted = True

    def fix_volume(self) -> None:
        """Become a speaker whose volume can't be set from afar."""
        with self._lock:
            self._device.supports_volume = False

    def accept_late(self, seconds: float = 2.0) -> None:
        """Answer the next order with 202 and carry it out after so many seconds."""
        with self._lock:
            self._device.late_s = seconds

    def expire_access_token(self) -> None:
        """Let the access token run out in mid-session."""
        with self._lock:
            self.accounts.expire_access_tokens()

    def end_sign_in(self) -> None:
        """End the sign-in, as after six months or when the owner removes the app."""
        with self._lock:
            self.accounts.end()

    def close(self) -> None:
        """Stop serving and end the threads. Safe to call twice."""
        if not self.faults.closed.is_set():
            self.faults.closed.set()
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._thread.join()

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
            try:
                answer = self._answer(request)
            except ApiError as refusal:
                answer = refusal.answer()
            if self.tap is not None:
                self.tap(Exchange(request, answer))
            if self.faults.cuts > 0:
                self.faults.cuts -= 1
                return None
            return answer

    def _answer(self, request: Request) -> Answer:
        trouble = self.faults.answer(request.path)
        if trouble is not None:
            return trouble
        if (request.method, request.path) == ("GET", "/authorize"):
            return self.accounts.authorize(request)
        if (request.method, request.path) == ("POST", "/api/token"):
            return self.accounts.token(request)
        self.accounts.check(request)
        return self._service.answer(request)


class _Server(ThreadingHTTPServer):
    # A program that ends without close() must not wait for idle connections.
    daemon_threads = True

    def __init__(self, address: tuple[str, int], speaker: SimulatedSpeaker) -> None:
        self.speaker = speaker
        self._connections: set[socket.socket] = set()
        self._change = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._change:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._change:
            self._connections.discard(request)
            self._change.notify_all()

    def hang_up(self) -> None:
        """End all connections and wait until their threads have let go of them."""
        with self._change:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._change.wait_for(lambda: not self._connections, timeout=HANG_UP_S)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_S
    server: _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            # The client, or close(), hung up.
            self.close_connection = True

    def _respond(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            answer: Answer | None = ApiError(400, "Bad Content-Length").answer()
        else:
            headers = {name.casefold(): value for name, value in self.headers.items()}
            answer = self.server.speaker.respond(Request(self.command, self.path, headers, self.rfile.read(int(length))))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:  # noqa: PLR2004 - No Content
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_DELETE = _respond  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's names
        """Keep quiet: the daemon says itself what it asked for."""
