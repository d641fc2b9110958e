"""The date, and what happens to sessions when somebody sets it.

A Pi without a battery wakes up in its past and is put right minutes later, by days or by decades; a wrong time server
does the opposite. Nobody may be signed out by that, and no session may be good for years by it. So every date that decides
something is written by a clock that is also watched against one that nobody can set: where the two part, what was dated
by the old time is moved with it. Only what is certain to be: at several hubs on one database the clock of one may go wrong. So a step backwards
to a date after a session's last use leaves it alone, and lets it end later by the step, which is less than the time that it was not used.

What can't be seen is a step while nothing runs:

* forwards, time is taken to have passed, and sessions end that had not that much left; the password still signs in;
* backwards, a session that was used in the future is taken to have been used just now: it has at most its 30 days from then.

Access tokens are not moved. One that is suddenly too old or from the future is refused, and the browser renews it.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.accounts.session import Life

#: Less is how clocks run, and how two hubs differ.
SLACK: Final = timedelta(seconds=60)


class Clock(Protocol):
    """A date, and seconds that only go forward."""

    def now_s(self) -> float:
        """Return seconds since some moment; unmoved by a step of the date."""

    def utc(self) -> datetime:
        """Return the date now, in UTC."""


class SystemClock:
    """The machine's."""

    def now_s(self) -> float:
        """Return seconds since the machine started, those in which it was asleep included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def utc(self) -> datetime:
        """Return the system's date."""
        return datetime.now(UTC)


class WatchedClock:
    """Gives the date, and has what was kept moved with it when it steps. Safe from any thread."""

    def __init__(self, clock: Clock, redate: Callable[[Callable[[Life], Life]], None]) -> None:
        """Take the clock, and what moves all that is kept, as :meth:`moodify.accounts.port.Sessions.redate` does."""
        self._clock = clock
        self._redate = redate
        self._last = clock.utc(), clock.now_s()
        self._settled = False
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the date.

        Raises:
            StoreBusy: what is kept can't be moved now; the next call tries again.
            StoreError: it can't be used.
        """
        with self._lock:
            now, now_s = self._clock.utc(), self._clock.now_s()
            last, last_s = self._last
            step = (now - last) - timedelta(seconds=now_s - last_s)
            if abs(step) > SLACK:
                self._redate(lambda life: moved_with(life, step, now))
            elif not self._settled:
                self._redate(lambda life: not_from_the_future(life, now))
            self._last = now, now_s
            self._settled = True
            return now


def moved_with(life: Life, step: timedelta, now: datetime) -> Life:
    """Return a life after the clock was set by ``step`` and shows ``now``; one that another, right clock has dated stays."""
    dated_by_the_old_time = life.used <= now - step + SLACK if step > timedelta() else life.used > now + SLACK
    return not_from_the_future(life.moved(step) if dated_by_the_old_time else life, now)


def not_from_the_future(life: Life, now: datetime) -> Life:
    """Return a life that was not used later than now."""
    return life.moved(now - life.used) if life.used > now + SLACK else life
