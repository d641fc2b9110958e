"""The button's language: what presses and holds mean. Pure: the time of each edge is passed in."""

from __future__ import annotations

from moodify.panel.port import Press

#: A press so soon after the one before means "not this".
DOUBLE_S = 0.4
#: Holds act when the button is let go: from the first length pause, from the second privacy, from the third nothing.
PAUSE_S, PRIVACY_S, TOO_LONG_S = 2.0, 6.0, 15.0
#: Contacts bounce for a few milliseconds; no finger is this quick. Filtered here, for the driver's filter loses edges.
BOUNCE_S = 0.03


class Gestures:
    """Turns edges into presses.

    ========================  ==================================
    press                     scan, at once
    press within 0.4 s        next
    let go after 2 to 6 s     pause, or go on
    let go after 6 to 15 s    privacy, on or off
    let go after 15 s         nothing
    ========================  ==================================
    """

    def __init__(self) -> None:
        """Start with the button up."""
        self._down_s: float | None = None
        self._pressed_s = float("-inf")
        self._let_go_s = float("-inf")

    def pressed(self, t_s: float) -> Press | None:
        """Take the edge of a press, at a time in monotonic seconds; an edge while it is down means that one up was lost."""
        if t_s - max(self._let_go_s, self._pressed_s) < BOUNCE_S:
            return None
        again = t_s - self._pressed_s < DOUBLE_S
        self._down_s = self._pressed_s = t_s
        return Press.NEXT if again else Press.SCAN

    def let_go(self, t_s: float) -> Press | None:
        """Take the edge of letting go."""
        if self._down_s is None or t_s - self._down_s < BOUNCE_S:
            return None
        held_s = t_s - self._down_s
        self._down_s, self._let_go_s = None, t_s
        if PAUSE_S <= held_s < PRIVACY_S:
            return Press.PAUSE
        if PRIVACY_S <= held_s < TOO_LONG_S:
            return Press.PRIVACY
        return None
