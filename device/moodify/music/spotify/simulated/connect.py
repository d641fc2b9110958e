"""The account's player: which devices there are, which of them is active, what plays, and what it was told."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .http import ApiError
from .playhead import Playhead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .catalogue import Song
    from .device import Device

#: Orders that are remembered, so that months of music do not fill the memory.
REMEMBERED = 1000
#: An order that is to be overtaken by the next one waits so long for it.
OVERTAKEN_S = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a device carried out."""

    at_s: float
    verb: str
    """play, resume, pause, next, queue, volume, transfer."""
    uri: str | None = None
    """What was played or queued."""
    percent: int | None = None
    """The volume that was set."""


class Connect:
    """Devices and the one playhead that they share. Not thread-safe: the server asks one thing at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without devices; nothing plays."""
        self.clock = clock
        self.head = Playhead()
        self.devices: list[Device] = []
        self.active: Device | None = None
        self.orders: deque[Order] = deque(maxlen=REMEMBERED)
        self.late_s: float | None = None
        """After how many seconds the next order, only accepted, is carried out."""
        self.swap = False
        """Whether the next order is overtaken by the one after it."""
        self._late: deque[tuple[float, Callable[[float], None]]] = deque()
        self._overtaken: Callable[[float], None] | None = None

    def pass_time(self) -> None:
        """Let the time pass that has passed: music goes on, devices wake and fall asleep, late orders are carried out."""
        now_s = self.clock()
        while self._late and now_s >= self._late[0][0]:
            at_s, do = self._late.popleft()
            self.head.advance(at_s)
            do(at_s)
        self.head.advance(now_s)
        for device in self.devices:
            if device is self.active and self.head.playing:
                device.use(now_s)
            elif device is self.active and self.head.silent_since_s is not None:
                device.use(self.head.silent_since_s)
            device.pass_time()
        if self.active is not None and self.active.asleep:
            self.active = None

    def sleep(self, device: Device, wakes_after_s: float | None) -> None:
        """Let a device go to sleep, and its music with it."""
        self.pass_time()
        device.sleep(wakes_after_s)
        if device is self.active:
            self.head.pause()
            self.active = None

    def target(self, device_id: str | None, *, activates: bool) -> Device:
        """Return the device that takes an order.

        Args:
            device_id: whom the order names; None means the active device.
            activates: whether the order makes a named device the active one, as play and transfer do.

        Raises:
            ApiError: 404 where the device is not active, asleep or unknown, 403 where it takes no orders.
        """
        device = self.active if device_id is None else next((one for one in self.devices if one.id == device_id), None)
        if device_id is None and device is None:
            raise _nothing_active()
        if device is None or not device.listed:
            if device is not None:
                # The order is refused, but the knock is heard.
                device.knock()
            raise ApiError(404, "Device not found")
        if device.restricted:
            raise ApiError(403, "Player command failed: Restricted device", "DEVICE_NOT_CONTROLLABLE")
        if device is not self.active and not activates:
            raise _nothing_active()
        return device

    def carry_out(self, device: Device, verb: str, act: Callable[[], None], *, uri: str | None = None, percent: int | None = None) -> bool:
        """Do it now, after the next order, or in a while where the device answers late; return False in the last case."""

        def do(at_s: float) -> None:
            if not device.asleep:
                self.orders.append(Order(at_s, verb, uri, percent))
                device.use(at_s)
                act()

        now_s = self.clock()
        if self.late_s is not None:
            self._late.append((now_s + self.late_s, do))
            self.late_s = None
            return False
        if self.swap:
            self.swap = False
            self._overtaken = do
            self._late.append((now_s + OVERTAKEN_S, self._carry_out_overtaken))
            return True
        do(now_s)
        self._carry_out_overtaken(now_s)
        return True

    def play(self, device: Device, songs: Sequence[Song], *, context_uri: str | None, place: int = 0, position_ms: int = 0) -> None:
        """Play a list on a device, which becomes the active one."""
        self.active = device
        self.head.start(songs, context_uri=context_uri, place=place, position_ms=position_ms)

    def resume(self, device: Device) -> None:
        """Go on, on a device, which becomes the active one."""
        self.active = device
        self.head.resume()

    def transfer(self, device: Device, *, play: bool) -> None:
        """Make a device the active one; what plays goes on there, and what is paused where that is asked for."""
        self.active = device
        if play:
            self.head.resume()

    def _carry_out_overtaken(self, at_s: float) -> None:
        overtaken, self._overtaken = self._overtaken, None
        if overtaken is not None:
            overtaken(at_s)


def _nothing_active() -> ApiError:
    return ApiError(404, "Player command failed: No active device found", "NO_ACTIVE_DEVICE")
