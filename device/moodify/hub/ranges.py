"""A set of sequence numbers that costs one pair for each run without a gap."""

from __future__ import annotations

from bisect import bisect_right


class Ranges:
    """Numbers from 1 that have been seen."""

    def __init__(self) -> None:
        """Begin with none."""
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, number: int) -> bool:
        """Add one; return False where it was there already."""
        right = bisect_right(self._starts, number)
        left = right - 1
        if left >= 0 and number <= self._ends[left]:
            return False
        joins_left = left >= 0 and self._ends[left] == number - 1
        joins_right = right < len(self._starts) and self._starts[right] == number + 1
        if joins_left and joins_right:
            self._ends[left] = self._ends.pop(right)
            del self._starts[right]
        elif joins_left:
            self._ends[left] = number
        elif joins_right:
            self._starts[right] = number
        else:
            self._starts.insert(right, number)
            self._ends.insert(right, number)
        return True
