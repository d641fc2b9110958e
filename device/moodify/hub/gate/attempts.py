"""Refused sign-ins: how many an address has left, and which were told in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cachetools import TTLCache
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from moodify.web.limits import counted_as

if TYPE_CHECKING:
    from moodify.hub.gate.refusals import Refusal

logger = logging.getLogger(__name__)

#: So many tokens a second that turn out bad are looked at for an address: each costs a query and a signature, a millisecond or so.
IN_VAIN_PER_SECOND = 50
#: One device may use up this part of what its address has, so that the others behind it are let in.
DEVICE_SHARE = 4
#: The same refusal of the same device is logged once in this time, in seconds.
LOGGED_EVERY_S = 600.0
#: Refusals that are remembered as logged.
_REMEMBERED = 2000


class Attempts:
    """Counts refused sign-ins by address (:func:`~moodify.web.limits.counted_as`), and by address and claimed device.

    Who has none left is told no reason any more; a good token comes in all the same, or one bad neighbour would shut out every device of its address.
    Those that are told no reason are not counted themselves. Belongs to one thread.
    """

    def __init__(self, per_minute: int) -> None:
        """Take how many an address has."""
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._of_address = RateLimitItemPerMinute(per_minute)
        self._of_device = RateLimitItemPerMinute(max(1, per_minute // DEVICE_SHARE))
        self._in_vain = RateLimitItemPerSecond(IN_VAIN_PER_SECOND)
        self._logged: TTLCache[tuple[str, Refusal], None] = TTLCache(_REMEMBERED, LOGGED_EVERY_S)

    def left(self, address: str, device: str | None) -> bool:
        """Return whether one that is refused from there is told why."""
        network = counted_as(address)
        return self._limiter.test(self._of_address, network) and (device is None or self._limiter.test(self._of_device, network, device))

    def refused(self, address: str, device: str | None) -> None:
        """Count one that was refused."""
        network = counted_as(address)
        self._limiter.hit(self._of_address, network)
        if device is not None:
            self._limiter.hit(self._of_device, network, device)

    def worth_a_look(self, address: str) -> bool:
        """Return whether a token from there is looked at."""
        return self._limiter.test(self._in_vain, counted_as(address), "look")

    def looked_at_in_vain(self, address: str) -> None:
        """Count a token that was looked at and is not good."""
        self._limiter.hit(self._in_vain, counted_as(address), "look")

    def log(self, refusal: Refusal, address: str, device: str | None) -> None:
        """Tell of a refusal, unless that was done a while ago."""
        key = (device or counted_as(address), refusal)
        if key not in self._logged:
            self._logged[key] = None
            logger.warning("%s at %s was refused: %s", "somebody" if device is None else f"the device {device}", address, refusal.words)
