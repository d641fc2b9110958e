"""Threads that can't die unnoticed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from moodify.daemon.signals import ThreadDied

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.daemon.signals import Signal

log = logging.getLogger(__name__)


def guarded(name: str, target: Callable[[], None], put: Callable[[Signal], None]) -> threading.Thread:
    """Return a daemon thread, not yet started, whose unexpected end is put on the conductor's queue."""

    def run() -> None:
        try:
            target()
        except BaseException as error:  # the last line of defence: nothing may end a thread silently
            log.exception("The %s ended unexpectedly", name)
            put(ThreadDied(name, error))

    return threading.Thread(target=run, name=name, daemon=True)
