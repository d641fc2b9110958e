"""The house as the page reaches it: reads the board and the history, puts presses on the conductor's queue."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moodify.daemon.signals import CommandTaken, HouseChanged, Pressed, PrivacyWanted
from moodify.errors import PersonMustAct
from moodify.panel.port import Press

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moodify.daemon.board import Board
    from moodify.daemon.signals import Signal
    from moodify.types import Event
    from moodify.web.port import Now, Wish


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

    def press_like(self) -> None:
        """More like what plays."""
        self._press(Press.LIKE)

    def name_mood(self, mood: str | None, minutes: int) -> Wish:
        """Let a mood stand for the room's, or the room's own count again."""
        return self._wish("mood", {"mood": mood, "minutes": minutes})

    def want_volume(self, percent: int) -> Wish:
        """Bring the volume there."""
        return self._wish("volume", {"percent": percent})

    def want_goal(self, goal: str | None) -> Wish:
        """Take what music is for until the next start."""
        return self._wish("goal", {"goal": goal})

    def diagnosis(self) -> Wish:
        """Tell how the appliance is."""
        return self._wish("diagnostics", {})

    def people_changed(self) -> None:
        """Let the music go by what who is listening prefers now."""
        self._put(HouseChanged())

    def set_privacy(self, on: bool) -> None:  # noqa: FBT001 - it is the value that is set
        """Close the camera device, or let it see again."""
        self._put(PrivacyWanted(on, "page"))

    def _press(self, press: Press) -> None:
        self._put(Pressed(press, "page"))

    def _wish(self, name: str, args: Mapping[str, Any]) -> Wish:
        granted = _Granted()
        self._put(CommandTaken(name, uuid4().hex, args, granted))
        return granted.wish


class _Granted:
    """Makes a command's answer what becomes of a wish."""

    def __init__(self) -> None:
        self.wish: Wish = Future()

    def answer(self, _command_id: str, status: str, error: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        # Who wished may have gone.
        if not self.wish.set_running_or_notify_cancel():
            return
        if status == "ok":
            self.wish.set_result(dict(data or {}))
        else:
            self.wish.set_exception(PersonMustAct(error or "That can't be done now. Try again in a moment."))
