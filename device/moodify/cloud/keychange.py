"""The handshake by which a hub learns of this device's next key (docs/mqtt.md)."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from moodify.cloud.port import Publication

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.cloud.port import Rotation
    from moodify.cloud.topics import Topics

logger = logging.getLogger(__name__)

#: How often a connection looks for a new key, in seconds: who has made one waits to see it taken.
LOOK_S = 5.0
#: How often it offers one again that was not answered, in seconds.
OFFER_S = 60.0


class KeyChange:
    """Offers the next key over one connection, which is signed in with the old one. Belongs to the link's thread."""

    def __init__(self, rotation: Rotation, topics: Topics) -> None:
        """Take what keeps the keys; the first offer is due at once."""
        self._rotation = rotation
        self._topics = topics
        self._look_at_s = 0.0
        self._last: tuple[str, float] | None = None
        """The newest offer's kid, and when it was made, on ``time.monotonic()``."""
        self._offered: str | None = None

    def due(self, now: datetime) -> Publication | None:
        """Return the offer, where a key waits and it is time."""
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return None
        self._look_at_s = now_s + LOOK_S
        offer = self._rotation.offer(now)
        if offer is None or (self._last is not None and self._last[0] == offer["kid"] and now_s < self._last[1] + OFFER_S):
            return None
        self._last = (offer["kid"], now_s)
        self._offered = offer["kid"]
        return Publication(self._topics.key, json.dumps(offer, separators=(",", ":")).encode())

    def heard(self, payload: bytes) -> bool:
        """Take a hub's answer to what was offered; return whether to sign in anew, with the new key."""
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            answer = None
        match answer:
            case {"kid": str(kid), "status": "ok"} if kid == self._offered:
                self._offered = None
                self._rotation.accepted(kid)
                return True
            case {"kid": str(kid), "status": "error", "error": str(reason)} if kid == self._offered:
                self._offered = None
                self._rotation.refused(kid, reason)
            case _:
                logger.info("an answer to no key that was offered is passed over")
        return False
