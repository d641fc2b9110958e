"""The minutes after somebody held the button."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from moodify.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Long enough to walk from the device to a desk.
WINDOW_S: Final = 300.0


class Window:
    """Open for some minutes and for one use: whoever can hold the button is in the room. Safe from any thread."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Take a clock that only goes forward, in seconds."""
        self._now_s = now_s
        self._until_s: float | None = None
        self._lock = threading.Lock()

    def open(self, seconds: float) -> None:
        """Open it from now on; a second hold begins anew."""
        with self._lock:
            self._until_s = self._now_s() + seconds

    @property
    def left_s(self) -> float:
        """How long it stays open, in seconds; 0 where it is shut."""
        with self._lock:
            return 0.0 if self._until_s is None else max(0.0, self._until_s - self._now_s())

    def check(self) -> None:
        """Return if it is open.

        Raises:
            NotPermitted: it is not; says how it is opened.
        """
        if not self.left_s:
            raise _shut()

    @contextmanager
    def use(self) -> Iterator[None]:
        """Shut it for what the block does; open it again for the rest of its time where the block fails.

        Raises:
            NotPermitted: it is shut, or somebody else was quicker.
        """
        with self._lock:
            until_s, self._until_s = self._until_s, None
        if until_s is None or until_s <= self._now_s():
            raise _shut()
        try:
            yield
        except BaseException:
            self._open_again(until_s)
            raise

    def _open_again(self, until_s: float) -> None:
        with self._lock:
            if self._until_s is None:
                self._until_s = until_s


def _shut() -> NotPermitted:
    return NotPermitted("this is only possible in the minutes after the button was held for a reset; hold it until its light winks white, let go, and try again")
