"""Two clocks that tick alike: one of the world, one of a recording."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward, and the date that belongs to them."""

    def now_s(self) -> float:
        """Return seconds on the clock of the frames."""

    def utc(self) -> datetime:
        """Return the date now, in UTC."""


class WorldClock:
    """Monotonic seconds and the system's date."""

    def now_s(self) -> float:
        """Return monotonic seconds; unmoved by a step of the system's date."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the system's date."""
        return datetime.now(UTC)


class RecordingClock:
    """The time of a recording: it stands at its newest frame, at whatever pace that is played.

    The date is the start's plus the recording's seconds, so that an hour of recording played in a
    minute leaves an hour of history.
    """

    def __init__(self, start: datetime | None = None) -> None:
        """Start at 0 s, on ``start`` (default: now)."""
        self._start = start if start is not None else datetime.now(UTC)
        self._now_s = 0.0
        self._lock = threading.Lock()

    def advance_to(self, t_s: float) -> None:
        """Move to a frame's time; an earlier one is ignored."""
        with self._lock:
            self._now_s = max(self._now_s, t_s)

    def now_s(self) -> float:
        """Return the newest frame's time in seconds."""
        with self._lock:
            return self._now_s

    def utc(self) -> datetime:
        """Return the date that belongs to the newest frame."""
        return self._start + timedelta(seconds=self.now_s())
