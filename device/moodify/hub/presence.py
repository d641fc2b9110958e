"""Whether a device is online.

The rule: a device is online where it said so (``up/status``), and this hub's gate holds its connection, or that it is so was noted within the last
minute. Every :data:`REFRESH_S` each hub notes it again for the devices that its own gate holds (:class:`StateKeeper`). So

* another hub's devices are online here too, by the notes in the shared cache;
* a device that connects anew with a fresh token is not offline meanwhile;
* a device that went over to another hub, and whose last will came after that, is online again at that hub's next note;
* a device whose last will was lost, because mosquitto or the whole hub was killed, is shown offline within a minute unless it comes back.

Where the cache is away, what the gate holds is all that is known.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from moodify.errors import CannotWork, MoodifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from moodify.hub.port import States

logger = logging.getLogger(__name__)

#: How long a note holds.
HOLDS: Final = timedelta(seconds=60)
#: Seconds between two notes: one may be missed.
REFRESH_S: Final = 20.0
#: Seconds before a cache that was away is asked again.
AGAIN_S: Final = 5.0


def is_online(states: Mapping[str, Mapping[str, Any]], *, connected: bool, now: datetime) -> bool:
    """Return whether a device is online, given its last states and whether this hub's gate holds its connection."""
    status = states.get("status")
    if status is None:
        return connected
    return status.get("state") == "online" and (connected or now - received(status) <= HOLDS)


def received(state: Mapping[str, Any]) -> datetime:
    """Return when a state of :class:`moodify.hub.port.States` was received, or noted to hold still."""
    return datetime.fromisoformat(state["received"])


class StateKeeper:
    """Keeps what devices say of themselves, and notes their status again while the gate holds them. Belongs to one thread.

    A cache that is away stops nothing else: the newest of each device waits here for its return.
    """

    def __init__(self, states: States, connected: Callable[[], Collection[str]], *, refresh_s: float = REFRESH_S, again_s: float = AGAIN_S) -> None:
        """Take where states are kept, who is connected, and how often status is noted again and a cache that is away is asked, in seconds."""
        self._states = states
        self._connected = connected
        self._refresh_s = refresh_s
        self._again_s = again_s
        self._statuses: dict[str, Mapping[str, Any]] = {}
        self._pending: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._forgotten: set[str] = set()
        self._refresh_at_s = time.monotonic() + refresh_s
        self._retry_at_s = 0.0
        self._away = False

    def keep(self, said: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Keep what was said, by device and name."""
        self._statuses |= {device: state for (device, name), state in said.items() if name == "status"}
        self._pending |= said
        self._put()

    def forget(self, device: str) -> None:
        """Keep nothing of a device any more."""
        self._statuses.pop(device, None)
        for kept in [kept for kept in self._pending if kept[0] == device]:
            del self._pending[kept]
        self._forgotten.add(device)
        self._put()

    def refresh(self) -> None:
        """Note again who is there, and keep what could not be kept, where it is time to."""
        if time.monotonic() >= self._refresh_at_s:
            self._refresh_at_s = time.monotonic() + self._refresh_s
            connected = self._connected()
            # Who is gone from here is another hub's to tell of.
            self._statuses = {device: status for device, status in self._statuses.items() if device in connected}
            self._pending |= {(device, "status"): status for device, status in self._statuses.items()}
        self._put()

    def _put(self) -> None:
        if not (self._pending or self._forgotten) or time.monotonic() < self._retry_at_s:
            return
        try:
            while self._forgotten:
                device = next(iter(self._forgotten))
                self._states.forget(device)
                self._forgotten.discard(device)
            while self._pending:
                (device, name), state = next(iter(self._pending.items()))
                self._put_one(device, name, state)
                del self._pending[device, name]
        except MoodifyError as error:
            # One that hangs would take seconds of the collector's each time.
            self._retry_at_s = time.monotonic() + self._again_s
            if not self._away:
                logger.warning("states are not kept: %s", error)
            self._away = True
        else:
            if self._away:
                logger.info("states are kept again")
            self._away = False

    def _put_one(self, device: str, name: str, state: Mapping[str, Any]) -> None:
        try:
            self._states.put(device, name, state, datetime.now(UTC))
        except CannotWork as error:
            # It would stand before all others for ever.
            logger.warning("a state of %s is passed over: %s", device, error)
            if name == "status":
                self._statuses.pop(device, None)
