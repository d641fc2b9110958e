"""What the device listens to on one connection; what the broker does not answer, or refuses, is asked for again."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.cloud.mqtt import Refused, Retained, Subscribed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moodify.cloud.backoff import Backoff
    from moodify.cloud.mqtt import Connection

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A topic that has not been granted."""

    again_at_s: float = 0.0
    tries: int = 0
    mid: int = 0
    why_not: str | None = None


class Subscriptions:
    """Asks for each topic in a packet of its own, so that one that is refused costs the others nothing. Belongs to the link's thread."""

    def __init__(self, connection: Connection, topics: Iterable[str], backoff: Backoff, *, timeout_s: float) -> None:
        """Take what to listen to, how long to wait after a refusal, and how long for a SUBACK."""
        self._connection = connection
        self._backoff = backoff
        self._timeout_s = timeout_s
        self._missing = {topic: _Asked() for topic in topics}

    @property
    def refused(self) -> str | None:
        """What the broker does not let this device hear, for a person; None where nothing is refused."""
        return next((asked.why_not for asked in self._missing.values() if asked.why_not is not None), None)

    @property
    def unanswered(self) -> str | None:
        """A topic whose SUBACK has been missing for too long, or None."""
        return next((topic for topic, asked in self._missing.items() if asked.tries > 1 and asked.why_not is None), None)

    def ask(self) -> None:
        """Subscribe to what is due."""
        now_s = time.monotonic()
        for topic, asked in self._missing.items():
            if now_s >= asked.again_at_s:
                asked.tries += 1
                asked.again_at_s = now_s + self._timeout_s
                # A session that the broker has kept has heard what is retained.
                asked.mid = self._connection.subscribe(topic, retained=Retained.IF_NEW)

    def answered(self, signal: Subscribed | Refused) -> None:
        """Take a SUBACK."""
        if isinstance(signal, Subscribed):
            self._missing = {topic: asked for topic, asked in self._missing.items() if asked.mid != signal.mid}
        elif signal.topic in self._missing:
            asked = self._missing[signal.topic]
            if asked.why_not is None:
                logger.warning("the broker refuses a %s", signal.reason)
            asked.why_not = f"the broker refuses this device's {signal.reason.lower()}; let it read {signal.topic}"
            asked.again_at_s = time.monotonic() + max(self._backoff.delay_s(asked.tries), self._timeout_s)
