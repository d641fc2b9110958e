"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles from ``base_s`` to ``cap_s``; the upper half of each wait is left to chance.

    Chance keeps a thousand devices from coming back in the same second (Brooker, "Exponential Backoff And Jitter", 2015: equal jitter).
    """

    base_s: float = 1.0
    cap_s: float = 120.0

    def delay_s(self, attempt: int, chance: float | None = None) -> float:
        """Return seconds to wait before try ``attempt`` (from 1); ``chance`` from 0 to 1 stands in for the dice."""
        whole = min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 16))
        return whole / 2 * (1 + (random.random() if chance is None else chance))  # noqa: S311 - jitter, no secret
