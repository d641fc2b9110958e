"""What every adapter needs: closing at the end of a ``with``, and waiting for the next frame's turn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Closing:
    """A source that closes itself at the end of a ``with``."""

    def close(self) -> None:
        """Give the device back."""
        raise NotImplementedError

    @property
    def stuck(self) -> bool:
        """Whether it was closed and the device is held all the same."""
        return False

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


class Pacer:
    """Says when the next frame of a live source is due. Thread-safe."""

    def __init__(self, fps: float) -> None:
        """Take frames per second."""
        self._period_s = 1.0 / fps
        self._wake = threading.Condition()
        self._last_s: float | None = None
        self._stopped = False

    def set_rate(self, fps: float) -> None:
        """Go by another rate; a wait under way follows it at once."""
        with self._wake:
            self._period_s = 1.0 / fps
            self._wake.notify_all()

    def wait(self) -> bool:
        """Wait until a frame is due, the first at once whatever the rate; False when stopped."""
        with self._wake:
            while not self._stopped:
                now_s = time.monotonic()
                due_s = now_s if self._last_s is None else self._last_s + self._period_s
                if now_s >= due_s:
                    # Counting from when it was due keeps the rate; a reader that fell behind starts afresh instead of catching up.
                    self._last_s = due_s if now_s - due_s < self._period_s else now_s
                    return True
                self._wake.wait(due_s - now_s)
            return False

    def stop(self) -> None:
        """End every wait, now and later."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped
