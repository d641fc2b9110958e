"""An exponential average whose memory is seconds, not frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Average:
    """A running average of a vector, and how much evidence it holds.

    The weight of what was said ``t`` seconds ago is ``exp(-t / time_constant)``, whatever the frame
    rate. Dividing by the weight gathered so far removes the pull of an empty start, as in Adam's
    bias correction (Kingma and Ba 2015, section 3), so the first look counts at once.
    """

    total: tuple[float, ...] = ()
    weight: float = 0.0

    @property
    def value(self) -> tuple[float, ...] | None:
        """The average, or None where nothing was folded in yet."""
        if self.weight <= 0.0:
            return None
        return tuple(part / self.weight for part in self.total)

    def fold(self, values: Sequence[float], *, dt_s: float, time_constant_s: float) -> Average:
        """Return the average with one more look.

        Args:
            values: What was seen; as many numbers each time.
            dt_s: Seconds that the look stands for; without any it changes nothing.
            time_constant_s: Seconds after which a look has lost 63 % of its weight; 0 keeps the newest alone.
        """
        if dt_s <= 0.0:
            return self
        kept = math.exp(-dt_s / time_constant_s) if time_constant_s > 0.0 else 0.0
        new = 1.0 - kept
        if new <= 0.0:
            return self
        before = self.total or (0.0,) * len(values)
        return Average(tuple(kept * old + new * value for old, value in zip(before, values, strict=True)), kept * self.weight + new)
