"""When requests were sent, on a clock that nobody sets."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from limits.storage import MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Callable


class MonotonicStorage(MemoryStorage):
    """A storage of the library limits for moving windows, thread-safe: by the wall clock, which the library reads, a jump back would shut a window."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Take a monotonic clock in seconds."""
        super().__init__()
        # It would look after what is not used here.
        self.timer.cancel()
        self._now_s = now_s
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._guard = threading.RLock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count so many requests where they fit; return whether they did."""
        with self._guard:
            sent = self._within(key, expiry)
            fits = len(sent) + amount <= limit
            if fits:
                sent.extend([self._now_s()] * amount)
            return fits

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - the library's signature
        """Return when the oldest request of the window was sent, in seconds of the clock, and how many there are."""
        with self._guard:
            sent = self._within(key, expiry)
            return (sent[0] if sent else self._now_s()), len(sent)

    def freed_s(self, key: str, count: int, expiry: int) -> float:
        """Return the seconds until so many of the window's requests are older than it; 0 where there are fewer."""
        with self._guard:
            sent = self._within(key, expiry)
            return sent[count - 1] + expiry - self._now_s() if 0 < count <= len(sent) else 0.0

    def _within(self, key: str, expiry: float) -> deque[float]:
        sent, since_s = self._sent[key], self._now_s() - expiry
        while sent and sent[0] <= since_s:
            sent.popleft()
        return sent
