"""A simulated Connect device: asleep, awake, gone, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalogue import spotify_id

if TYPE_CHECKING:
    from collections.abc import Callable


class Device:
    """One speaker, or a phone that can play. Not thread-safe: the server asks one thing at a time.

    Args:
        name: what its owner called it; several may have one name.
        number: tells devices of one name apart.
        clock: seconds that only go forward.
        kind: as the service names it: Speaker, Smartphone, Computer …
        sleeps_after_s: falls asleep after so many seconds without music or an order; None never.
        wakes_after_s: an order that names it wakes it from such a sleep after so many seconds.
    """

    def __init__(
        self, name: str, number: int, clock: Callable[[], float], *, kind: str = "Speaker", sleeps_after_s: float | None = None, wakes_after_s: float | None = 2.0
    ) -> None:
        """Start awake and listed."""
        self.name, self.kind = name, kind
        self._born = name
        self.listed = True
        self.restricted = False
        self.supports_volume = True
        self.volume_percent = 50
        self._number, self._clock = number, clock
        self._sleeps_after_s, self._wakes_by_itself_after_s = sleeps_after_s, wakes_after_s
        self._asleep = False
        self._wakes_after_s: float | None = None
        self._wakes_at_s: float | None = None
        self._used_s = clock()
        self._generation = 0

    @property
    def id(self) -> str:
        """The id of now."""
        return spotify_id("device", f"{self._born}/{self._number}/{self._generation}")

    @property
    def asleep(self) -> bool:
        """Whether it hears nothing but its name."""
        return self._asleep

    def new_id(self) -> None:
        """Come back under another id."""
        self._generation += 1

    def use(self, at_s: float) -> None:
        """Take note that it played or was told something then."""
        self._used_s = max(self._used_s, at_s)

    def sleep(self, wakes_after_s: float | None) -> None:
        """Go to sleep: not listed; an order wakes it after so many seconds, None never."""
        self.listed, self._asleep = False, True
        self._wakes_after_s, self._wakes_at_s = wakes_after_s, None

    def wake(self) -> None:
        """Be awake and listed, and wait."""
        self._asleep, self.listed, self._wakes_at_s = False, True, None
        self.use(self._clock())

    def knock(self) -> None:
        """Hear an order while asleep: it is lost, but wakes."""
        if self._asleep and self._wakes_after_s is not None and self._wakes_at_s is None:
            self._wakes_at_s = self._clock() + self._wakes_after_s

    def pass_time(self) -> None:
        """Wake up, or fall asleep, when it is time."""
        now_s = self._clock()
        if self._wakes_at_s is not None and now_s >= self._wakes_at_s:
            self.wake()
        if not self._asleep and self._sleeps_after_s is not None and now_s - self._used_s >= self._sleeps_after_s:
            self.sleep(self._wakes_by_itself_after_s)

    def as_object(self, *, active: bool) -> dict[str, Any]:
        """Return a DeviceObject."""
        return {
            "id": self.id,
            "is_active": active,
            "is_private_session": False,
            "is_restricted": self.restricted,
            "name": self.name,
            "type": self.kind,
            "volume_percent": self.volume_percent if self.supports_volume else None,
            "supports_volume": self.supports_volume,
        }
