"""What a hub does once a day: deletes what is older than its owner wants it kept."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from moodify.errors import MoodifyError

if TYPE_CHECKING:
    from moodify.hub.database import Database

logger = logging.getLogger(__name__)

_FIRST_S: Final = 60.0
_DAY_S: Final = 86_400.0
_AGAIN_S: Final = 3_600.0
_STOP_S: Final = 2.0


class Retention:
    """Deletes old events, on a thread of its own, between :meth:`start` and :meth:`close`."""

    def __init__(self, database: Database, days: int, *, first_s: float = _FIRST_S) -> None:
        """Take how many days events are kept, and how long after the start it is first looked."""
        self._database = database
        self._days = days
        self._first_s = first_s
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
                gone = self._database.retain(self._days, datetime.now(UTC))
            except MoodifyError as error:
                logger.warning("what is older than %s days was not deleted: %s", self._days, error)
                wait_s = _AGAIN_S
            else:
                if gone:
                    logger.info("%s events older than %s days were deleted", gone, self._days)
                wait_s = _DAY_S
