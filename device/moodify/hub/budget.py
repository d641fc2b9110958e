"""How much a device may have stored, so that one of them does not fill the disk of all."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache
from limits import RateLimitItemPerDay, RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

if TYPE_CHECKING:
    from moodify.hub.port import Summary

logger = logging.getLogger(__name__)

#: Units that a device may spend in an hour, and in a day. One that was offline for a week comes with 10,000 events in a minute, and one whose outbox is
#: full, of 16 MB, with about 65,000: both at once in an hour. Beyond it nothing is lost: the device offers the rest again.
PER_HOUR: Final = 100_000
PER_DAY: Final = 300_000
_UNIT_BYTES: Final = 1024
_SAID_EVERY_S: Final = 600.0
_SAID_AT_MOST: Final = 10_000


def cost(summary: Summary, size: int) -> int:
    """Return the units that a message of ``size`` bytes costs: one for each event, or for each 1024 bytes begun, whichever is more."""
    return max(1, len(summary.items), -(-size // _UNIT_BYTES))


class Budgets:
    """What each device has spent, in this process. Belongs to one thread."""

    def __init__(self, *, per_hour: int = PER_HOUR, per_day: int = PER_DAY) -> None:
        """Begin with nothing spent."""
        self._limits = (RateLimitItemPerHour(per_hour), RateLimitItemPerDay(per_day))
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._said: TTLCache[str, None] = TTLCache(_SAID_AT_MOST, _SAID_EVERY_S)

    def affords(self, device: str, units: int) -> bool:
        """Return whether a device may spend so many now; that it may not is said once in a while."""
        if all(self._limiter.test(limit, device, cost=units) for limit in self._limits):
            return True
        if device not in self._said:
            self._said[device] = None
            logger.warning("%s says more than %s events an hour or %s a day: the rest is not taken now, and it offers it again", device, *(one.amount for one in self._limits))
        return False

    def spend(self, device: str, units: int) -> None:
        """Note what was stored."""
        for limit in self._limits:
            self._limiter.hit(limit, device, cost=units)
