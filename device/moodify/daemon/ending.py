"""What ends a run from outside: signals of the system, and the time that was given."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moodify.daemon.signals import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moodify.daemon.signals import Signal


@contextmanager
def ended_by_signals(put: Callable[[Signal], None]) -> Iterator[None]:
    """Put a Stop on the queue at SIGINT, SIGTERM or SIGHUP; a second one ends the process at once."""
    # A terminal that is closed ends the house as well, unless it was started to outlive it (nohup).
    numbers = [signal.SIGINT, signal.SIGTERM, *([] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP])]

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        put(Stop(f"asked to by {signal.Signals(number).name}"))

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_after(seconds: float, put: Callable[[Signal], None]) -> Iterator[None]:
    """Put a Stop on the queue after so many seconds of the wall clock."""
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), lambda: put(Stop(f"{seconds:g} seconds are over")))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
