"""What all simulated services have in common: a server on loopback, trouble on the way to it, and who asked for what."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from .http import Answer, ApiError, Request
from .levers import Faults, Levers
from .server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

#: Requests whose method and path are remembered.
REMEMBERED = 1000


@dataclass(frozen=True)
class Exchange:
    """One request and what was answered, for a tap."""

    request: Request
    answer: Answer


class Serving(Levers, ABC):
    """A service on 127.0.0.1 that answers one request at a time, from its start until :meth:`close`.

    Args:
        clock: seconds that only go forward.
        name: of the server's thread.
        port: 0 lets the system choose.
        tap: called with every exchange, in the server's thread, before the answer is sent.
    """

    def __init__(self, clock: Callable[[], float], *, name: str, port: int, tap: Callable[[Exchange], None] | None = None) -> None:
        """Bind; the subclass starts when it is ready."""
        self.faults = Faults(clock, self._refusal)
        self.tap = tap
        self._lock = threading.RLock()
        self._requests: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)
        self._server = LoopbackServer(self._respond, name=name, port=port)

    @property
    def requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of every request that arrived, oldest first."""
        with self._lock:
            return tuple(self._requests)

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

    @abstractmethod
    def _answer(self, request: Request) -> Answer:
        """Answer a request that arrived; called by one thread at a time.

        Raises:
            ApiError: any refusal.
        """

    @staticmethod
    def _refusal(status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Write a refusal as this service does."""
        return ApiError(status, message, reason, headers).answer()

    def _respond(self, request: Request) -> Answer | None:
        self.faults.closed.wait(self.faults.slow_s)
        with self._lock:
            self._requests.append((request.method, request.path))
            return self.faults.respond(lambda: self._exchange(request))

    def _exchange(self, request: Request) -> Answer:
        answer = self.faults.answer(request.path)
        if answer is None:
            try:
                answer = self._answer(request)
            except ApiError as refusal:
                answer = self._refusal(refusal.status, refusal.message, refusal.reason, refusal.headers)
        if self.tap is not None:
            self.tap(Exchange(request, answer))
        return answer
