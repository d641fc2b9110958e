"""The simulated speaker as a Connect device: asleep, awake, gone, and what it is told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .catalogue import spotify_id
from .http import ApiError
from .playhead import Playhead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .catalogue import Song

#: Orders that are remembered, so that months of music do not fill the memory.
REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Order:
    """An order that the speaker carried out."""

    at_s: float
    verb: str
    """play, resume, pause, next, previous, queue, seek, volume, repeat, shuffle, transfer."""
    uri: str | None = None
    """What was played or queued."""


class Device:
    """One speaker and its playhead. Not thread-safe: the server asks one thing at a time."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        """Start awake, idle and listed; nothing plays."""
        self.name, self.clock = name, clock
        self.head = Playhead(clock)
        self.active = False
        self.listed = True
        self.restricted = False
        self.supports_volume = True
        self.volume_percent = 50
        self.orders: deque[Order] = deque(maxlen=REMEMBERED)
        self.late_s: float | None = None
        self._late: deque[tuple[float, Callable[[], None]]] = deque()
        self._asleep = False
        self._wakes_after_s: float | None = None
        self._wakes_at_s: float | None = None
        self._generation = 0

    @property
    def id(self) -> str:
        """The id of now."""
        return spotify_id("device", f"{self.name}/{self._generation}")

    def new_id(self) -> None:
        """Come back under another id."""
        self._generation += 1

    def sleep(self, wakes_after_s: float | None) -> None:
        """Go to sleep: not active, not listed; an order wakes it after so many seconds, None never."""
        self.pass_time()
        self.head.playing, self.active, self.listed, self._asleep = False, False, False, True
        self._wakes_after_s, self._wakes_at_s = wakes_after_s, None

    def wake(self) -> None:
        """Be awake and listed, and wait."""
        self._asleep, self.listed, self._wakes_at_s = False, True, None

    def pass_time(self) -> None:
        """Let the time pass that has passed."""
        now_s = self.clock()
        if self._wakes_at_s is not None and now_s >= self._wakes_at_s:
            self.wake()
        while self._late and now_s >= self._late[0][0]:
            self._late.popleft()[1]()
        self.head.advance()

    def as_object(self) -> dict[str, Any]:
        """Return a DeviceObject."""
        return {
            "id": self.id,
            "is_active": self.active,
            "is_private_session": False,
            "is_restricted": self.restricted,
            "name": self.name,
            "type": "Speaker",
            "volume_percent": self.volume_percent if self.supports_volume else None,
            "supports_volume": self.supports_volume,
        }

    def require(self, device_id: str | None, *, activates: bool) -> None:
        """Let an order through that this speaker can take.

        Args:
            device_id: whom the order names; None means the active device.
            activates: whether the order makes a named device the active one, as play and transfer do.

        Raises:
            ApiError: 404 where the device is not active, asleep or unknown, 403 where it takes no orders.
        """
        if device_id is None and not self.active:
            raise ApiError(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
        if self._asleep and self._wakes_after_s is not None and self._wakes_at_s is None and device_id == self.id:
            # The order is refused, but the knock is heard.
            self._wakes_at_s = self.clock() + self._wakes_after_s
        if device_id is not None and (device_id != self.id or not self.listed):
            raise ApiError(404, "Device not found")
        if self.restricted:
            raise ApiError(403, "Player command failed: Restricted device", "DEVICE_NOT_CONTROLLABLE")
        if not self.active and not activates:
            raise ApiError(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")

    def carry_out(self, verb: str, act: Callable[[], None], uri: str | None = None) -> bool:
        """Do it now, or in a while where the speaker answers late; return whether it is done."""

        def do() -> None:
            self.orders.append(Order(self.clock(), verb, uri))
            act()

        if self.late_s is None:
            do()
            return True
        self._late.append((self.clock() + self.late_s, do))
        self.late_s = None
        return False

    def play(self, songs: Sequence[Song], context_uri: str | None, place: int, position_ms: int) -> None:
        """Become active and play a list."""
        self.active = True
        self.head.start(songs, context_uri=context_uri, place=place, position_ms=position_ms)

    def resume(self) -> None:
        """Become active and go on."""
        self.active = True
        self.head.playing = self.head.song is not None
