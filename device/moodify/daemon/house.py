"""The house as the page reaches it: reads the board and the history, puts presses on the conductor's queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from moodify.daemon.signals import Pressed, PrivacyWanted
from moodify.panel.port import Press

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from moodify.daemon.board import Board
    from moodify.daemon.signals import Signal
    from moodify.types import Event
    from moodify.web.port import Now


class RunningHouse:
    """Implements :class:`moodify.web.port.House`."""

    def __init__(self, board: Board, put: Callable[[Signal], None], recent: Callable[[int], Sequence[Event]]) -> None:
        """Take the board, the conductor's queue, and what reads the newest events (from the page's thread alone)."""
        self._board = board
        self._put = put
        self._recent = recent

    def now(self) -> Now:
        """Return the state to show."""
        return self._board.now()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change until the returned function is called."""
        return self._board.watch(changed)

    def history(self, limit: int) -> Sequence[Event]:
        """Return the newest events, newest first."""
        return self._recent(limit)

    def press_scan(self) -> None:
        """Look again."""
        self._press(Press.SCAN)

    def press_next(self) -> None:
        """Skip what plays."""
        self._press(Press.NEXT)

    def press_pause(self) -> None:
        """Pause, or go on."""
        self._press(Press.PAUSE)

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera device, or let it see again."""
        self._put(PrivacyWanted(on, "page"))

    def _press(self, press: Press) -> None:
        self._put(Pressed(press, "page", time.monotonic()))
