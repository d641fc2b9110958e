"""How many requests an hour are spent unasked, and how often to look at what plays."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from limits import RateLimitItemPerHour
from limits.strategies import MovingWindowRateLimiter

from moodify.errors import BudgetSpent
from moodify.music.guards.window import MonotonicStorage
from moodify.music.words import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR_S = 3600.0
#: Where nobody says otherwise: the configuration's own default.
REQUESTS_PER_HOUR = 300
#: Requests of an hour that looks and look-ups leave to orders: waking a speaker takes up to about a dozen.
RESERVE = 20
#: A track's end is looked at so many seconds after it, as Home Assistant's spotify component does.
AFTER_END_S = 1.0
#: Requests outside the budget that are counted in an hour, at most; a press is never refused for it.
MOST_COUNTED = 100_000
UNASKED, BESIDE = "unasked", "beside"


class Budget:
    """What may be sent to Spotify in any 60 minutes without a person asking; thread-safe.

    Looks and look-ups stop :data:`RESERVE` requests before orders do. A person's press is never refused, and counted
    apart. A call that has begun is finished: what it sends beyond the budget is counted with the presses.
    """

    def __init__(self, per_hour: int, *, now_s: Callable[[], float] = time.monotonic) -> None:
        """Take the requests an hour (more than 2 * :data:`RESERVE`) and a monotonic clock in seconds."""
        self.per_hour = per_hour
        self._now_s = now_s
        self._times = MonotonicStorage(now_s)
        self._limiter = MovingWindowRateLimiter(self._times)
        self._unasked, self._beside = RateLimitItemPerHour(per_hour), RateLimitItemPerHour(MOST_COUNTED)
        self._thread = threading.local()

    @property
    def spent(self) -> int:
        """Requests of the last hour that nobody asked for."""
        return self.per_hour - self.left

    @property
    def left(self) -> int:
        """Requests that may still be sent unasked now."""
        return self._limiter.get_window_stats(self._unasked, UNASKED).remaining

    @property
    def beside(self) -> int:
        """Requests of the last hour that a person asked for."""
        return MOST_COUNTED - self._limiter.get_window_stats(self._beside, BESIDE).remaining

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Count what this thread sends meanwhile as asked for by a person."""
        before = self._asked
        self._thread.asked = True
        try:
            yield
        finally:
            self._thread.asked = before

    @contextmanager
    def ordering(self) -> Iterator[None]:
        """Let what this thread looks at meanwhile use what is kept for orders: it belongs to one."""
        before = self._ordering
        self._thread.ordering = True
        try:
            yield
        finally:
            self._thread.ordering = before

    def admit(self, reads: int = 0) -> None:
        """Let a call begin: an order, or a look that sends so many requests at most.

        Raises:
            BudgetSpent: and no person asks.
        """
        needed = reads + RESERVE if reads and not self._ordering else 1
        if not self._asked and not self._limiter.test(self._unasked, UNASKED, cost=needed):
            wait_s = self._wait_s(needed)
            raise BudgetSpent(f"music.spotify.requests_per_hour ({self.per_hour}) are spent; trying again in {span(wait_s)}", retry_after_s=wait_s)

    def note(self) -> None:
        """Count a request that is sent."""
        if self._asked or not self._limiter.hit(self._unasked, UNASKED):
            self._limiter.hit(self._beside, BESIDE)

    def next_poll_s(self, poll_s: float, remaining_of_track_s: float | None = None) -> float:
        """Return the seconds to the next look: ``poll_s``, the track's end where that comes sooner, longer where the budget is short.

        While half of the budget is left, nothing is stretched; below that, looks spread out so that it lasts: at half as
        often as may go on for ever, at a quarter half as often.
        """
        wanted_s = poll_s if remaining_of_track_s is None else min(poll_s, max(remaining_of_track_s, 0.0) + AFTER_END_S)
        room, free = self.per_hour - RESERVE, self.left - RESERVE
        if free < 1:
            return max(wanted_s, self._wait_s(1 + RESERVE))
        pace_s = HOUR_S / room * (room / 2) / free if free < room / 2 else 0.0
        return max(wanted_s, pace_s)

    @property
    def _asked(self) -> bool:
        return getattr(self._thread, "asked", False)

    @property
    def _ordering(self) -> bool:
        return getattr(self._thread, "ordering", False)

    def _wait_s(self, needed: int) -> float:
        return max(self._times.freed_s(self._unasked.key_for(UNASKED), needed - self.left, self._unasked.get_expiry()), 0.0)
