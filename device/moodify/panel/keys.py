"""Keys in the terminal that stand in for the button."""

from __future__ import annotations

import atexit
import contextlib
import errno
import logging
import os
import select
import sys
import termios
import threading
import tty
from typing import TYPE_CHECKING

from moodify.panel.port import Press

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

log = logging.getLogger(__name__)

KEYS: dict[str, Press] = {" ": Press.SCAN, "s": Press.SCAN, "n": Press.NEXT, "l": Press.LIKE, "p": Press.PAUSE, "v": Press.PRIVACY, "q": Press.QUIT}


class Keys:
    """Reads single keys on a thread of its own, while standard input is a terminal in the foreground.

    Ctrl-C and Ctrl-Z keep their meaning. The terminal is put back as it was by :meth:`close`, and at the latest when
    the interpreter ends.
    """

    def __init__(self, on_press: Callable[[Press], None], *, handle: int | None = None) -> None:
        """Start reading.

        Args:
            on_press: called on the thread of the keys; must not block.
            handle: file descriptor of the terminal; None takes standard input. What is no terminal is left alone.
        """
        self._on_press = on_press
        self._handle = _standard_input() if handle is None else handle
        self._before: list[int | list[bytes | int]] | None = None
        self._thread: threading.Thread | None = None
        self._wake, self._waker = -1, -1
        if self._handle < 0 or not _in_the_foreground(self._handle):
            return
        self._before = termios.tcgetattr(self._handle)
        self._wake, self._waker = os.pipe()
        atexit.register(self.close)
        tty.setcbreak(self._handle, termios.TCSANOW)
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether keys are read."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stop reading and put the terminal back as it was."""
        if self._before is None:
            return
        before, self._before = self._before, None
        atexit.unregister(self.close)
        # Nobody listens any more where the terminal was closed first.
        with contextlib.suppress(OSError):
            os.write(self._waker, b"x")
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(2.0)
        os.close(self._waker)
        # The terminal may be gone, and then there is nothing to put back.
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(self._handle, termios.TCSANOW, before)

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _run(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([self._handle, self._wake], [], [])
                if self._wake in ready:
                    return
                typed = os.read(self._handle, 64)
                if not typed:
                    return
                for key in typed.decode("ascii", "ignore").lower():
                    if key in KEYS:
                        self._on_press(KEYS[key])
        except OSError as error:
            # The terminal was closed: the appliance goes on without keys.
            log.debug("no more keys: %s", error)
        finally:
            os.close(self._wake)


def _standard_input() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return -1


def _in_the_foreground(handle: int) -> bool:
    """Whether it is a terminal that may be set: from the background that would stop the whole process."""
    try:
        return os.isatty(handle) and os.tcgetpgrp(handle) == os.getpgrp()
    except OSError as error:
        # A terminal that is not the controlling one has no background.
        return error.errno == errno.ENOTTY
