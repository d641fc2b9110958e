"""A person at a terminal: lines out, lines in, and an eye on something else meanwhile."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import TextIO


class HasFileno(Protocol):
    """What can be waited for beside the keyboard."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""


class Terminal:
    """Lines out and lines in; reading never blocks without watching what else may happen.

    Args:
        keyboard: descriptor of the input; None where it is closed. Nobody else may read from it meanwhile.
        out: where lines are written.
        size: columns and lines of a screen that can show a drawing; None where there is none.
    """

    def __init__(self, keyboard: int | None, out: TextIO, *, size: tuple[int, int] | None = None) -> None:
        """Write and read nothing yet."""
        self.size = size
        self.typed = keyboard is not None and os.isatty(keyboard)
        """Whether somebody types the lines, rather than a pipe or a file giving them."""
        self._keyboard = keyboard
        self._out = out
        self._read = b""

    @property
    def ended(self) -> bool:
        """Whether no more lines will come."""
        return self._keyboard is None

    def tell(self, line: str = "") -> None:
        """Show a line."""
        self._out.write(f"{line}\n")
        self._out.flush()

    def ask(self, prompt: str, *, hint: str | None = None, beside: HasFileno | None = None, within_s: float | None = None) -> str | None:
        """Show a prompt and return the next line that is not empty, without the blanks around it; None where ``beside`` is ready first.

        After a line that is empty, ``hint`` and the prompt are shown.

        Raises:
            EOFError: the input has ended; from then on only ``beside`` is waited for, if there is one.
            TimeoutError: neither came in time.
        """
        until_s = None if within_s is None else time.monotonic() + within_s
        if not self.ended:
            self._show(prompt)
        while True:
            while b"\n" in self._read:
                line, _, self._read = self._read.partition(b"\n")
                if text := line.decode("utf-8", "replace").strip():
                    return text
                if hint is not None:
                    self.tell(hint)
                self._show(prompt)
            watched = [watch for watch in (self._keyboard, beside) if watch is not None]
            if not watched:
                raise EOFError
            ready, _, _ = select.select(watched, [], [], None if until_s is None else max(until_s - time.monotonic(), 0.0))
            if not ready:
                raise TimeoutError
            if self._keyboard not in ready:
                return None
            self._fill(self._keyboard)

    def _show(self, prompt: str) -> None:
        self._out.write(prompt)
        self._out.flush()

    def _fill(self, keyboard: int) -> None:
        found = os.read(keyboard, 4096)
        self._read += found
        if not found:
            self._keyboard = None
            if not self._read:
                self.tell()
                raise EOFError
            self._read += b"\n"
