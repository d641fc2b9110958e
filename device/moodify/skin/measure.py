"""A number, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

LOWEST, HIGHEST = 0.0, 100.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A number from 0 to 100, or the reason why there is none: exactly one of them.

    Raises:
        ValueError: both or neither, an empty reason, or a number that is out of range or none.
    """

    value: float | None
    reason: str | None = None
    """For a person; ends with the next step where there is one."""

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a measure has either a value or the reason why it has none")
        if self.reason is not None and not self.reason.strip():
            raise ValueError("the reason why a measure has no value is empty")
        if self.value is not None and not _in_range(self.value):
            raise ValueError(f"{self.value!r} is no number from {LOWEST:g} to {HIGHEST:g}")

    @classmethod
    def of(cls, value: float) -> Self:
        """Return what was measured."""
        return cls(value)

    @classmethod
    def missing(cls, reason: str) -> Self:
        """Return that nothing could be measured, and why."""
        return cls(None, reason)


def _in_range(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and LOWEST <= value <= HIGHEST
