"""How many people are there, from a detector that now and then misses one."""

from __future__ import annotations

#: More people are believed when every look of so many seconds showed them: one false alarm is one look.
RISE_S = 0.3

#: Fewer people (but somebody) are believed after so many seconds: a detector misses a face more often than it invents one.
FALL_S = 2.0


class PeopleCounter:
    """A count of people that does not flicker."""

    def __init__(self, *, absent_s: float) -> None:
        """Know nothing yet. ``absent_s``: seconds without any face after which nobody is there."""
        self._absent_s = absent_s
        self._count: int | None = None
        self._rising: int | None = None
        self._rising_s = 0.0
        self._falling: int | None = None
        self._falling_s = 0.0
        self._missing_s = 0.0

    @property
    def count(self) -> int:
        """People who are there; 0 before anything is known."""
        return self._count or 0

    def step(self, faces: int, dt_s: float) -> bool:
        """Take the number of faces in one look, ``dt_s`` seconds after the one before; return whether the count changed."""
        before = self._count
        self._missing_s = 0.0 if faces else self._missing_s + dt_s
        if faces > self.count:
            self._rise(faces, dt_s)
        elif faces < self.count:
            self._fall(faces, dt_s)
        else:
            self._settle(self._count)
        if self._missing_s >= self._absent_s and not faces:
            self._settle(0)
        return self._count != before

    def _rise(self, faces: int, dt_s: float) -> None:
        self._falling = None
        if self._rising is None:
            self._rising, self._rising_s = faces, 0.0
        else:
            self._rising, self._rising_s = min(self._rising, faces), self._rising_s + dt_s
        if self._rising_s >= RISE_S:
            self._settle(self._rising)

    def _fall(self, faces: int, dt_s: float) -> None:
        self._rising = None
        if self._falling is None:
            self._falling, self._falling_s = faces, 0.0
        else:
            self._falling, self._falling_s = max(self._falling, faces), self._falling_s + dt_s
        if self._falling and self._falling_s >= FALL_S:
            self._settle(self._falling)

    def _settle(self, count: int | None) -> None:
        self._count = count
        self._rising = self._falling = None
