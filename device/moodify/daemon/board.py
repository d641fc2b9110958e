"""What the house shows of itself: one snapshot, written by the conductor, read by page and terminal."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.web.port import Now

log = logging.getLogger(__name__)


class Board:
    """The newest :class:`~moodify.web.port.Now`; thread-safe."""

    def __init__(self, now: Now) -> None:
        """Start with a first snapshot."""
        self._lock = threading.Lock()
        self._now = now
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> Now:
        """Return the newest snapshot; it is never changed afterwards."""
        with self._lock:
            return self._now

    def put_up(self, now: Now) -> None:
        """Replace the snapshot and tell the watchers where it differs."""
        with self._lock:
            if now == self._now:
                return
            self._now = now
            watchers = tuple(self._watchers)
        for changed in watchers:
            changed()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change, from the conductor's thread, until the returned function is called."""
        with self._lock:
            self._watchers.append(changed)

        def stop() -> None:
            with self._lock:
                if changed in self._watchers:
                    self._watchers.remove(changed)

        return stop
