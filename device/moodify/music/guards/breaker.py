"""A circuit breaker before a service: what keeps failing is left alone for a while, and a press is answered at once."""

from __future__ import annotations

import logging
import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import requests
from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError, CircuitBreakerListener, CircuitMemoryStorage
from urllib3.exceptions import HTTPError

from moodify.errors import RetryLater
from moodify.music.words import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybreaker import CircuitBreakerState

logger = logging.getLogger(__name__)

#: Failures in a row after which a service is left alone: pybreaker's own default.
FAILURES = 5
#: For so many seconds; then one request tries it.
REST_S = 30.0
SERVER_ERROR = 500


class Breaker:
    """Lets requests through while a service answers them; thread-safe.

    No answer at all (time-out, cut, refused connection) and a 5xx are failures. Any other answer is an answer, a 4xx too.
    """

    def __init__(
        self, service: str, *, now_s: Callable[[], float] = time.monotonic, failures: int = FAILURES, rest_s: float = REST_S, refusal: type[RetryLater] = RetryLater
    ) -> None:
        """Let everything through.

        Args:
            service: its name for a person.
            now_s: monotonic seconds.
            failures: so many in a row open it.
            rest_s: seconds for which the service is left alone then.
            refusal: the error that says so.
        """
        self.service = service
        self._refusal = refusal
        self._rest_s = rest_s
        self._memory = _Memory(now_s)
        self._breaker = CircuitBreaker(
            fail_max=failures,
            reset_timeout=rest_s,
            exclude=[lambda error: not isinstance(error, requests.RequestException | HTTPError | _Failing)],
            listeners=[_Log(self)],
            state_storage=self._memory,
            throw_new_error_on_trip=False,
        )

    @property
    def left_s(self) -> float:
        """Seconds until a request is tried again; 0 where requests are let through."""
        return max(self._rest_s - self._memory.open_s, 0.0) if self._breaker.current_state == STATE_OPEN else 0.0

    def call(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Send, and return the answer, whatever its status.

        Raises:
            RetryLater: of the kind ``refusal``: the service is left alone now, and nothing was sent.
            requests.RequestException: as ``send``.
        """
        try:
            return self._breaker.call(_checked, send)
        except _Failing as failing:
            return failing.response
        except CircuitBreakerError as error:
            left_s = math.ceil(self.left_s)
            raise self._refusal(f"{self.service} has failed {self._breaker.fail_max} times in a row; trying again in {span(left_s)}", retry_after_s=left_s) from error


class _Failing(Exception):
    """A 5xx, for as long as it passes through the breaker."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _checked(send: Callable[[], requests.Response]) -> requests.Response:
    response = send()
    if response.status_code >= SERVER_ERROR:
        raise _Failing(response)
    return response


class _Memory(CircuitMemoryStorage):
    """Tells pybreaker, which looks at the wall clock, of a time that is as long ago as a clock of ours says: a Pi's wall clock jumps."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__(STATE_CLOSED)
        self._now_s = now_s
        self._opened_at_s: float | None = None

    @property
    def open_s(self) -> float:
        """Seconds since it was opened last."""
        return math.inf if self._opened_at_s is None else self._now_s() - self._opened_at_s

    @property
    def opened_at(self) -> datetime | None:
        return None if self._opened_at_s is None else datetime.now(UTC) - timedelta(seconds=self.open_s)

    @opened_at.setter
    def opened_at(self, _: datetime) -> None:
        self._opened_at_s = self._now_s()


class _Log(CircuitBreakerListener):
    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def state_change(self, cb: CircuitBreaker, old_state: CircuitBreakerState | None, new_state: CircuitBreakerState) -> None:
        if new_state.name == STATE_OPEN and old_state is not None and old_state.name == STATE_CLOSED:
            logger.warning("%s has failed %s times in a row; it is tried again every %s", self._breaker.service, cb.fail_max, span(cb.reset_timeout))
        elif new_state.name == STATE_CLOSED:
            logger.info("%s answers again", self._breaker.service)
