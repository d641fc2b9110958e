"""Threads that can't die unnoticed."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from moodify.daemon.signals import ThreadDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moodify.daemon.signals import Signal

log = logging.getLogger(__name__)


def guarded(name: str, target: Callable[[], None], put: Callable[[Signal], None]) -> threading.Thread:
    """Return a daemon thread, not yet started, whose unexpected end is put on the conductor's queue."""

    def run() -> None:
        # As top -H and a debugger show it; the kernel takes 15 bytes.
        with contextlib.suppress(OSError):
            Path("/proc/thread-self/comm").write_text(name[:15], "utf-8")
        try:
            target()
        except BaseException as error:  # the last line of defence: nothing may end a thread silently
            log.exception("The %s ended unexpectedly", name)
            put(ThreadDied(name, error))

    return threading.Thread(target=run, name=name, daemon=True)


@contextlib.contextmanager
def none_dies_unnoticed(put: Callable[[Signal], None]) -> Iterator[None]:
    """Put the death of any other thread on the conductor's queue too, within ``with``: a light, a button or a page that is dead for good helps nobody.

    Whoever can go on without a thread of theirs catches what ends it.
    """
    before = threading.excepthook

    def tell(died: threading.ExceptHookArgs) -> None:
        if died.exc_type is SystemExit:
            return
        name = "thread" if died.thread is None else died.thread.name
        log.error("The %s ended unexpectedly", name, exc_info=(died.exc_type, died.exc_value or died.exc_type(), died.exc_traceback))
        put(ThreadDied(name, died.exc_value or died.exc_type()))

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = before
