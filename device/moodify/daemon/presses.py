"""What a press means: at the button, at the terminal and on the page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from moodify.daemon.signals import Stop
from moodify.music.situation import Ask
from moodify.panel.port import Press

if TYPE_CHECKING:
    from moodify.daemon.deciding import Decider
    from moodify.daemon.override import Override
    from moodify.daemon.pending import Pending
    from moodify.daemon.reset import Resets
    from moodify.daemon.room import Room
    from moodify.daemon.sight import Sight
    from moodify.daemon.signals import Pressed

log = logging.getLogger(__name__)

#: Where a press comes from that is let go, too.
BUTTON = "button"


class Presses:
    """Has done what was pressed. Belongs to the conductor's thread."""

    def __init__(self, sight: Sight, decider: Decider, resets: Resets, *, room: Room, pending: Pending, override: Override) -> None:
        """Take who looks, who decides and who lets a password be reset, the room, and what waits for the finger."""
        self._sight = sight
        self._decider = decider
        self._resets = resets
        self._room = room
        self._pending = pending
        self._override = override

    def take(self, signal: Pressed) -> Stop | None:
        """Do what a press means; return what ends the run, where it does."""
        log.log(logging.DEBUG if signal.press is Press.LET_GO else logging.INFO, "Pressed %s (%s)", signal.press.value, signal.origin)
        if signal.origin == BUTTON:
            self._finger(signal.press)
        match signal.press:
            case Press.SCAN:
                self._sight.look_again(Ask.LOOK)
            case Press.NEXT:
                self._pending.drop()
                self._decider.decide(Ask.NEXT)
            case Press.LIKE:
                self._decider.with_fresh_look(lambda: self._decider.decide(Ask.LIKE), Ask.LIKE)
            case Press.PAUSE:
                self._pending.drop()
                self._decider.with_fresh_look(lambda: self._decider.decide(Ask.PAUSE))
            case Press.PRIVACY:
                self._sight.set_privacy(on=not self._sight.private, origin=signal.origin)
            case Press.RESET:
                self._pending.drop()
                self._resets.answer(self._room.mood)
            case Press.STUCK:
                log.warning("The button has been down for a minute: it is stuck, or wired wrongly. It counts again once it is up")
                self._pending.drop()
            case Press.QUIT:
                return Stop("a key asked for it")
        return None

    def _finger(self, press: Press) -> None:
        if press in {Press.SCAN, Press.NEXT}:
            # What else it means shows when it is let go.
            self._pending.hold()
            return
        looking, ask = self._pending.looking, self._pending.let_go()
        if press is Press.LET_GO and looking:
            self._override.end()
            if ask is not None:
                self._decider.answer(ask)
