"""Whether a trait rises or falls over the looks of a person, and how sure that is."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from moodify.skin.usual import comparable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.skin.record import FaceRecord, Trait

MIN_LOOKS: Final = 5
"""With four, no interval at 95 % has ends: even the most extreme order of four has a chance of 1 in 12."""
MIN_DAYS: Final = 3
"""From the first to the last of them: points in 30 days that are told from looks of one evening would be of its lamps, and in the thousands."""
MOST_LOOKS: Final = 200
"""Looks that a trend is told from, the newest: each is held against each, which takes a Pi some tenths of a second."""
_NORMAL_95: Final = 1.96
_SECONDS_A_MONTH: Final = 30 * 86400.0


class Direction(StrEnum):
    """Where a trait goes."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "no change that is more than chance"


@dataclass(frozen=True, slots=True)
class Trend:
    """Points in 30 days, with its 95 % interval."""

    per_month: float
    low: float
    high: float
    looks: int

    @property
    def direction(self) -> Direction:
        """Rising or falling only where the interval leaves out 0."""
        if self.low > 0:
            return Direction.RISING
        return Direction.FALLING if self.high < 0 else Direction.STEADY


def trend(looks: Sequence[FaceRecord], trait: Trait) -> Trend | None:
    """Return the trend over the looks that can be compared with the last one, or None where they are fewer than :data:`MIN_LOOKS` or within :data:`MIN_DAYS`.

    Looks whose date is doubted are left out: one of 1970 would flatten any trend.
    The slope is the median of all pairs' (Theil 1950), its interval by Kendall's statistic (Sen, "Estimates of the regression
    coefficient based on Kendall's tau", JASA 63, 1968): a few odd looks do not turn it.
    """
    measured = sorted((look for look in looks if getattr(look, trait) is not None and not look.date_doubted), key=lambda look: look.looked_at)
    if not measured:
        return None
    last = measured[-1]
    points = [(look.looked_at.timestamp() / _SECONDS_A_MONTH, float(getattr(look, trait))) for look in measured if comparable(look, trait, card=last.card, eyes_px=last.eyes_px)]
    count = len(points)
    if count < MIN_LOOKS or points[-1][0] - points[0][0] < MIN_DAYS * 86400 / _SECONDS_A_MONTH:
        return None
    slopes = sorted((b - a) / (t - s) for (s, a), (t, b) in itertools.combinations(points, 2) if t > s)
    reach = _NORMAL_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    # Of so many slopes at each end; rounded, as the normal approximation misses the exact count by less than a half for 5 to 10 looks.
    ends = max(round((len(slopes) - reach) / 2), 1)
    return Trend(statistics.median(slopes), slopes[ends - 1], slopes[-ends], count)
