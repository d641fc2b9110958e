"""How much others may make this device do: work that costs its card a write, and lines in its log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Bucket:
    """A token bucket: so many at once, and then so many a minute."""

    def __init__(self, per_minute: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full."""
        self._per_s = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._since_s = clock()

    def take(self) -> bool:
        """Take one; return False where none is left."""
        now_s = self._clock()
        self._left = min(self._burst, self._left + (now_s - self._since_s) * self._per_s)
        self._since_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Complaints:
    """Which reasons are said: each once in a while, and not more than a few, for a stranger may put anything into them."""

    def __init__(self, *, at_most: int = 5, window_s: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Take how many reasons are said in how many seconds."""
        self._at_most = at_most
        self._window_s = window_s
        self._clock = clock
        self._said: dict[str, float] = {}
        self._kept_quiet = 0

    def say(self, reason: str) -> bool:
        """Return whether this one is to be said now."""
        now_s = self._clock()
        self._said = {one: at_s for one, at_s in self._said.items() if now_s - at_s < self._window_s}
        if reason in self._said or len(self._said) >= self._at_most:
            self._kept_quiet += 1
            return False
        self._said[reason] = now_s
        return True

    def quiet(self) -> int:
        """Return how many were kept quiet since this was last asked."""
        count, self._kept_quiet = self._kept_quiet, 0
        return count
