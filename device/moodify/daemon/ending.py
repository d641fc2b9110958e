"""What ends a run from outside: signals of the system, and the time that was given."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moodify.daemon.signals import Stop, ThreadDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from moodify.daemon.signals import Signal

log = logging.getLogger(__name__)

#: What a run that is to be followed by another one exits with; the unit has it (RestartForceExitStatus=). EX_TEMPFAIL of sysexits.h.
AGAIN = 75


class EndedBySignals:
    """Ends a run at SIGINT, SIGTERM or SIGHUP; a second one ends the process at once.

    Until :meth:`from_now_on_by` is called the first one ends the start where it is, even one that waits for a
    device; afterwards it puts a Stop on the conductor's queue.
    """

    def __init__(self) -> None:
        """Prepare; the handlers are there within ``with``."""
        self._put: Callable[[Signal], None] | None = None
        # A terminal that is closed ends the house as well, unless it was started to outlive it (nohup).
        outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._numbers = [signal.SIGINT, signal.SIGTERM, *([] if outlives else [signal.SIGHUP])]
        self._before: dict[signal.Signals, Any] = {}

    def from_now_on_by(self, put: Callable[[Signal], None]) -> None:
        """End the run by a Stop that is put on a queue."""
        self._put = put

    def _stop(self, number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        if self._put is None:
            raise SystemExit(0)
        self._put(Stop(f"asked to by {signal.Signals(number).name}"))

    def __enter__(self) -> Self:
        """Take the signals."""
        self._before = {number: signal.signal(number, self._stop) for number in self._numbers}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give them back."""
        for number, handler in self._before.items():
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


def exit_code(ending: Stop | ThreadDied) -> int:
    """Log what ends a run; return what the process exits with."""
    if isinstance(ending, ThreadDied):
        log.critical("The %s ended by an error, and Moodify with it: %s", ending.name, ending.error)
        return 1
    log.log(logging.ERROR if ending.failed else logging.INFO, "Ending: %s", ending.reason)
    return AGAIN if ending.again else int(ending.failed)


def failure_of(ending: Stop | ThreadDied | None) -> str | None:
    """Return why a run could not go on; None while it can, and where it ends as it was asked to."""
    if isinstance(ending, ThreadDied):
        return f"the {ending.name} ended by an error: {ending.error!r}"
    return ending.reason if ending is not None and ending.failed else None
