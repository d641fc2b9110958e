"""How other threads reach one that waits for the network."""

from __future__ import annotations

import select
import socket
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Wake:
    """A file that can be read once :meth:`set` was called, until :meth:`clear`."""

    def __init__(self) -> None:
        """Open both ends."""
        self._in, self._out = socket.socketpair()
        self._in.settimeout(0)
        self._out.settimeout(0)

    def fileno(self) -> int:
        """Return the file's number, for ``poll``."""
        return self._out.fileno()

    def set(self) -> None:
        """End the wait; from any thread."""
        try:
            self._in.send(b"\0")
        except OSError:
            # Full: it is set already. Closed: nobody waits.
            return

    def wait(self, timeout_s: float) -> None:
        """Wait until it is set, at most ``timeout_s``."""
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        poll.poll(timeout_s * 1000)

    def clear(self) -> None:
        """Take back what was set."""
        try:
            while self._out.recv(4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Close both ends; safe to call twice."""
        self._in.close()
        self._out.close()


class Requests:
    """What other threads want done; asking ends the wait."""

    def __init__(self, wake: Wake) -> None:
        """Take what ends the wait."""
        self._wake = wake
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def put(self, do: Callable[[], None]) -> None:
        """Ask for something; from any thread."""
        self._queue.put(do)
        self._wake.set()

    def take(self) -> None:
        """Do all that was asked for, in its order."""
        while True:
            try:
                do = self._queue.get_nowait()
            except Empty:
                return
            do()
