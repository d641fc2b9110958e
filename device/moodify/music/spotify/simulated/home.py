"""What happens at a home: to its speakers, to its account, and by its people's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arguments import found
from .device import Device
from .http import Answer
from .levers import API
from .serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Accounts
    from .connect import Connect
    from .library import Library
    from .service import Service


class HomeLevers(Serving):
    """Base of the simulated speaker: each method may be called from any thread."""

    accounts: Accounts
    library: Library
    _clock: Callable[[], float]
    _connect: Connect
    _device: Device
    _service: Service

    # The speaker

    def fall_asleep(self, *, wakes_after_s: float | None = 2.0) -> None:
        """Go to sleep and leave the list; an order that names it is refused but wakes it after so many seconds."""
        with self._lock:
            self._connect.sleep(self._device, wakes_after_s)

    def wake(self) -> None:
        """Wake up by somebody else's hand; listed, but not active."""
        with self._lock:
            self._device.wake()

    def vanish(self) -> None:
        """Lose power or network: gone from the list, and no order wakes it."""
        self.fall_asleep(wakes_after_s=None)

    def reappear(self) -> None:
        """Come back after :meth:`vanish`, listed but not active."""
        self.wake()

    def new_id(self) -> None:
        """Come back under another device id; the music goes on."""
        with self._lock:
            self._device.new_id()

    def rename(self, name: str) -> None:
        """Be called otherwise by its owner; its id stays."""
        with self._lock:
            self._device.name = name

    def restrict(self) -> None:
        """Take no more orders from apps."""
        with self._lock:
            self._device.restricted = True

    def unrestrict(self) -> None:
        """Take orders from apps again."""
        with self._lock:
            self._device.restricted = False

    def fix_volume(self) -> None:
        """Become a speaker whose volume can't be set from afar."""
        with self._lock:
            self._device.supports_volume = False

    def accept_late(self, seconds: float = 2.0) -> None:
        """Answer the next order with 202 and carry it out after so many seconds."""
        with self._lock:
            self._connect.late_s = seconds

    def forget_music(self) -> None:
        """Lose what was played, as the service does some time after the music stopped: there is nothing to go on with."""
        with self._lock:
            self._connect.pass_time()
            self._connect.head.forget()

    def swap_orders(self) -> None:
        """Take the next order, but carry it out after the one that follows it, or two seconds later where none does."""
        with self._lock:
            self._connect.swap = True

    def add_device(self, name: str, *, kind: str = "Speaker") -> str:
        """Put another device into the home, awake and idle, and return its id; the name may be one that is there already."""
        with self._lock:
            device = Device(name, len(self._connect.devices), self._clock, kind=kind)
            self._connect.devices.append(device)
            return device.id

    # The account

    def expire_access_token(self) -> None:
        """Let the access token run out in mid-session."""
        with self._lock:
            self.accounts.expire_access_tokens()

    def end_sign_in(self) -> None:
        """End the sign-in, as when the owner removes the app; by itself it ends six months after the owner agreed."""
        with self._lock:
            self.accounts.end()

    def withdraw(self, *scopes: str) -> None:
        """Let the tokens allow less than they say."""
        with self._lock:
            self._service.withdrawn |= set(scopes)

    def give_back(self, *scopes: str) -> None:
        """Let the tokens allow again what they say."""
        with self._lock:
            self._service.withdrawn -= set(scopes)

    def lose_premium(self) -> None:
        """Let the owner's subscription end: no orders any more."""
        with self._lock:
            self._service.premium = False

    def regain_premium(self) -> None:
        """Let the owner subscribe again."""
        with self._lock:
            self._service.premium = True

    def leave_dashboard(self) -> None:
        """Take the owner out of the app's list of users."""
        with self._lock:
            self._service.registered = False

    def join_dashboard(self) -> None:
        """Put the owner back into the app's list of users."""
        with self._lock:
            self._service.registered = True

    def leave_gaps(self) -> None:
        """Let lists hold null in a song's place, and playlists a local file."""
        with self._lock:
            self._service.objects.gaps = True

    def refuse(self, status: int, message: str = "Player command failed: Restriction violated", reason: str | None = "UNKNOWN", times: int = 1) -> None:
        """Refuse the next requests with an error of Spotify's shape."""
        self.faults.add(lambda: self.faults.refusal(status, message, reason), times, API)

    def string_error(self, status: int = 400, times: int = 1) -> None:
        """Answer an error whose ``error`` is a text instead of an object."""
        self.faults.add(lambda: Answer(status, b'{"error": "something is wrong"}'), times, API)

    # Hands, on a phone or on the speaker itself; no order that an app gave

    def play_by_hand(self, uri: str, device_id: str | None = None) -> None:
        """Play a track or a context, on the speaker where no other device is named."""
        with self._lock:
            self._connect.pass_time()
            device = next(one for one in self._connect.devices if device_id in {None, one.id})
            context = None if uri.startswith("spotify:track:") else uri
            self._connect.play(device, found(self.library.songs_in(uri)), context_uri=context)

    def pause_by_hand(self) -> None:
        """Pause."""
        with self._lock:
            self._connect.pass_time()
            self._connect.head.pause()

    def skip_by_hand(self) -> None:
        """Go to the next track."""
        with self._lock:
            self._connect.pass_time()
            self._connect.head.next()

    def turn_volume(self, percent: int) -> None:
        """Turn the speaker's volume."""
        with self._lock:
            self._device.volume_percent = percent

    def set_modes(self, *, repeat: str = "off", shuffle: bool = False) -> None:
        """Set repeat (off, track, context) and shuffle, in the Spotify app."""
        with self._lock:
            self._connect.pass_time()
            self._connect.head.repeat, self._connect.head.shuffle = repeat, shuffle
