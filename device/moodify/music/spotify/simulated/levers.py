"""What the world does to a service: outages, limits, nonsense. Shared by all that is simulated here."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .http import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

API = "/v1/"
ACCOUNTS = "/api/token"


@dataclass
class _Fault:
    answer: Callable[[], Answer]
    times: int
    where: str


class Faults:
    """Trouble on the way to a service, pulled by :class:`Levers`; asked by the HTTP server for each request."""

    def __init__(self, clock: Callable[[], float], refusal: Callable[..., Answer]) -> None:
        """Take the clock, in seconds, by which limits end, and who writes a refusal (status, message, reason, headers). All is well."""
        self.slow_s = 0.0
        self.cuts_before = 0
        self.cuts_after = 0
        self.closed = threading.Event()
        self._clock, self.refusal = clock, refusal
        self._pending: list[_Fault] = []
        self._limited_until_s = 0.0
        self._limit_reason: str | None = None

    def add(self, answer: Callable[[], Answer], times: int, where: str) -> None:
        """Answer the next requests whose path begins with ``where`` so."""
        self._pending.append(_Fault(answer, times, where))

    def limit(self, seconds: float, reason: str | None) -> None:
        """Answer 429 to everything under the API until then."""
        self._limited_until_s, self._limit_reason = self._clock() + seconds, reason

    def end(self) -> None:
        """Answer as the service does from now on."""
        self._pending.clear()
        self._limited_until_s = self.slow_s = 0.0
        self.cuts_before = self.cuts_after = 0

    def answer(self, path: str) -> Answer | None:
        """Return what a request gets instead of the service; None lets it through."""
        left_s = self._limited_until_s - self._clock()
        if left_s > 0 and path.startswith(API):
            return self.refusal(429, "API rate limit exceeded", self._limit_reason, {"Retry-After": str(max(round(left_s), 1))})
        for fault in self._pending:
            if path.startswith(fault.where):
                fault.times -= 1
                if fault.times <= 0:
                    self._pending.remove(fault)
                return fault.answer()
        return None

    def respond(self, request: Callable[[], Answer]) -> Answer | None:
        """Carry a request out unless the connection is cut before; return None where it is cut before or after."""
        if self.cuts_before > 0:
            self.cuts_before -= 1
            return None
        answer = request()
        if self.cuts_after > 0:
            self.cuts_after -= 1
            return None
        return answer


class Levers:
    """Base of what is simulated: each method is something that happens to a service, from any thread."""

    faults: Faults

    def rate_limit(self, retry_after_s: float, reason: str | None = None) -> None:
        """Answer 429 to everything until so many seconds have passed; ``QUOTA_EXCEEDED`` is the account's quota."""
        self.faults.limit(retry_after_s, reason)

    def rate_limit_once(self, retry_after: str | None, reason: str | None = None) -> None:
        """Answer 429 once, with this text (seconds, an HTTP date, nonsense) as Retry-After, or without one."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.faults.add(lambda: self.faults.refusal(429, "API rate limit exceeded", reason, headers), 1, API)

    def fail(self, status: int = 503, times: int = 1, *, where: str = API) -> None:
        """Fail with a plain text body, as a gateway does; ``where`` may be :data:`ACCOUNTS`."""
        self.faults.add(lambda: Answer(status, b"upstream connect error", "text/plain"), times, where)

    def html(self, times: int = 1) -> None:
        """Answer 200 with a web page, as a network's login page does."""
        self.faults.add(lambda: Answer(200, b"<html><body>Welcome to our Wi-Fi</body></html>", "text/html"), times, API)

    def answer_with(self, body: bytes, status: int = 200, times: int = 1) -> None:
        """Answer with these bytes as JSON, whatever they are."""
        self.faults.add(lambda: Answer(status, body), times, API)

    def slow(self, seconds: float) -> None:
        """Take so many real seconds for each answer from now on."""
        self.faults.slow_s = seconds

    def cut_connection(self, times: int = 1, *, before: bool = False) -> None:
        """Close the connection instead of answering the next requests, which are carried out all the same unless it is cut ``before``."""
        if before:
            self.faults.cuts_before = times
        else:
            self.faults.cuts_after = times

    def recover(self) -> None:
        """End all of these at once."""
        self.faults.end()
