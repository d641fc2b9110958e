"""What a hub does once a day: deletes what is older than its owner wants it kept, by no clock that may be wrong."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from moodify.errors import MoodifyError
from moodify.system.trust import clock_synchronised, clock_trusted

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.hub.database import Database

logger = logging.getLogger(__name__)

_FIRST_S: Final = 60.0
_DAY_S: Final = 86_400.0
_AGAIN_S: Final = 3_600.0
_STOP_S: Final = 2.0
#: A clock that is so far beyond what is known is not believed: what it would delete is gone for good, and what it would keep can go tomorrow.
FAR: Final = timedelta(days=30)


class Retention:
    """Deletes old events, on a thread of its own, between :meth:`start` and :meth:`close`."""

    def __init__(
        self,
        database: Database,
        days: int,
        *,
        first_s: float = _FIRST_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        synchronised: Callable[[], bool] = clock_synchronised,
    ) -> None:
        """Take how many days events are kept, how long after the start it is first looked, the clock, and whether the network has set it."""
        self._database = database
        self._days = days
        self._first_s = first_s
        self._clock = clock
        self._synchronised = synchronised
        self._doubted = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; safe to call twice. What is being deleted is deleted whole, or not."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._end.wait(wait_s):
            try:
                gone = self._look(self._clock())
            except MoodifyError as error:
                logger.warning("what is older than %s days was not deleted: %s", self._days, error)
                wait_s = _AGAIN_S
            else:
                if gone:
                    logger.info("%s events older than %s days were deleted", gone, self._days)
                wait_s = _AGAIN_S if gone is None else _DAY_S

    def _look(self, now: datetime) -> int | None:
        """Return how many events were deleted; None where the clock may be wrong."""
        doubt = self._doubt(now)
        if doubt is not None:
            if not self._doubted:
                logger.warning("what is older than %s days is not deleted: %s", self._days, doubt)
            self._doubted = True
            return None
        self._doubted = False
        self._database.note_seen(now)
        return self._database.retain(self._days, now)

    def _doubt(self, now: datetime) -> str | None:
        """Return why the clock may be wrong."""
        seen, newest = self._database.last_seen(), self._database.newest_received()
        trusted, why = clock_trusted(now, seen, synchronised=self._synchronised)
        if not trusted:
            return why
        if seen is not None and now - seen > FAR and not self._synchronised():
            return f"the clock says {now:%Y-%m-%d}, and the hub last noted {seen:%Y-%m-%d}; connect the network so that it is set, or set it with: timedatectl set-time"
        if newest is not None and now - newest > FAR:
            return f"the clock says {now:%Y-%m-%d}, and no device was heard since {newest:%Y-%m-%d}; where the clock is right, it is deleted once a device is heard again"
        return None
