"""Sends what is to be told, on a thread of its own: claims a message, tries, and puts it off where that fails, a few times.

A message that was sent just as the hub died, before that was noted, is sent once more; its id is the same, by which who receives it can tell.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from moodify.errors import MoodifyError
from moodify.hub.alerts.port import What
from moodify.hub.alerts.thread import AlertThread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moodify.hub.alerts.port import ChannelKind, Delivery, Desk

logger = logging.getLogger(__name__)

#: After the first try, the second comes after the first of these, and so on; after the last one it is given up.
AGAIN: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
#: What was written so long ago is no news any more, as after a backup was put back.
STALE: Final = timedelta(hours=24)
#: A claim holds longer than any try takes, and so long that clocks of several hubs may differ by minutes.
LEASE: Final = timedelta(minutes=5)
#: A conversation with a mail server has about eight steps of 20 s at most, and takes one second.
TRY_S: Final = 120.0
_LOOK_S: Final = 5.0


class Carrier(Protocol):
    """Takes a message to one kind of channel."""

    def carry(self, delivery: Delivery) -> None:
        """Send it.

        Raises:
            MoodifyError: it did not get there; the text says why, without secrets.
        """


class AlertSender(AlertThread):
    """Sends between :meth:`start` and :meth:`close`."""

    def __init__(
        self,
        desk: Desk,
        carriers: Mapping[ChannelKind, Carrier],
        *,
        again: tuple[timedelta, ...] = AGAIN,
        look_s: float = _LOOK_S,
        try_s: float = TRY_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take where messages are kept, who carries each kind, after what times one is tried again, how often it is looked, and how long a try may take, in seconds."""
        super().__init__("alert-sender")
        self._desk = desk
        self._carriers = carriers
        self._again = again
        self._look_s = look_s
        self._try_s = try_s
        self._clock = clock

    def wake(self) -> None:
        """Look now; from any thread."""
        self._wake.set()

    def send_one(self) -> bool:
        """Try one message that is due; return whether there was one.

        Raises:
            StoreBusy, StoreError: from the database.
        """
        now = self._clock()
        delivery = self._desk.claim(now, LEASE)
        if delivery is None:
            return False
        if now - delivery.written > STALE:
            self._desk.put_off(delivery.id, "it was too old to be news", None, now)
            return True
        error = self._try(delivery)
        if error is None:
            logger.info("an alert was sent by %s", delivery.channel.kind)
            self._desk.sent(delivery.id, self._clock())
            return True
        # A test is asked for by somebody who waits for the answer.
        left = () if delivery.what is What.TEST else self._again[delivery.tries :]
        until = self._clock() + left[0] if left else None
        logger.warning("an alert was not sent by %s: %s%s", delivery.channel.kind, error, "" if left else "; it is given up")
        self._desk.put_off(delivery.id, error, until, self._clock())
        return True

    def _try(self, delivery: Delivery) -> str | None:
        """Carry a message; return why that failed, None where it did not."""
        outcome: list[str | None] = []

        def carry() -> None:
            try:
                self._carriers[delivery.channel.kind].carry(delivery)
            except MoodifyError as error:
                outcome.append(str(error))
            except Exception:
                # It must not come again for ever.
                logger.exception("an alert could not be sent by %s", delivery.channel.kind)
                outcome.append("something unexpected happened; the hub's log says what")
            else:
                outcome.append(None)

        # Who answers a letter at a time passes every time limit of a socket, and must not keep the others' alerts.
        thread = threading.Thread(target=carry, name="alert", daemon=True)
        thread.start()
        thread.join(self._try_s)
        return outcome[0] if outcome else f"it was not taken within {self._try_s:g} s; look whether the receiver works, it is tried again"

    def _run(self) -> None:
        while not self._end.is_set():
            self._wake.clear()
            try:
                while self.send_one() and not self._end.is_set():
                    pass
            except MoodifyError as error:
                if self._trouble is None:
                    logger.warning("alerts are not sent: %s", error)
                self._trouble = str(error)
            else:
                self._trouble = None
            self._wake.wait(self._look_s)
