"""Waiting for the dj where what follows depends on it: between a recording's frames, and at the end."""

from __future__ import annotations

import time
from queue import Empty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from moodify.daemon.dj import Dj
    from moodify.daemon.signals import Signal

#: How long a signal is waited for before it is asked again whether the dj is idle, in seconds.
LOOK_S = 0.05


def until_idle(dj: Dj, inbox: SimpleQueue[Signal], handle: Callable[[Signal], None], *, within_s: float, before_each: Callable[[], bool] = lambda: True) -> None:
    """Handle signals until the dj has nothing left to do and none is waiting, or the time is over.

    Args:
        dj: who is waited for.
        inbox: the conductor's queue.
        handle: takes each signal.
        within_s: longest time, in real seconds.
        before_each: called before each wait; False ends it.
    """
    deadline_s = time.monotonic() + within_s
    while before_each():
        idle = dj.idle or time.monotonic() >= deadline_s
        try:
            signal = inbox.get(timeout=0 if idle else LOOK_S)
        except Empty:
            if idle:
                return
            continue
        handle(signal)
