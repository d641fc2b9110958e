"""The button's language: what presses and holds mean. Pure: edges, looks at the button and their times are passed in."""

from __future__ import annotations

from moodify.panel.port import Press, Show

#: A press so soon after the one before means "not this".
DOUBLE_S = 0.4
#: Holds act when the button is let go: from the first length pause, from the second privacy, longer than the third reset.
PAUSE_S, PRIVACY_S, RESET_S = 2.0, 6.0, 15.0
#: Down for so long, a button is stuck, or wired wrongly: it means nothing, though it come up again, and the light goes back to what is so.
STUCK_S = 60.0
#: Contacts bounce for a few milliseconds; no finger is this quick. Filtered here, for the driver's filter loses edges.
BOUNCE_S = 0.03


class Gestures:
    """Turns edges and looks into presses.

    ========================  ==================================
    press                     scan, at once
    press within 0.4 s        next
    let go after 2 to 6 s     pause, or go on
    let go after 6 to 15 s    privacy, on or off
    let go after 15 s         reset
    let go sooner             let go
    down for a minute         stuck; letting go means nothing
    ========================  ==================================

    An edge down acts at once. An edge up is only a hint: letting go counts once a look finds the button still up
    :data:`BOUNCE_S` later, so that a contact that trembles under a finger does not end its hold. Looks also find what
    lost edges have not told.
    """

    def __init__(self) -> None:
        """Start with the button up."""
        self._down_s: float | None = None
        self._up_s: float | None = None
        """Since when it seems to be up."""
        self._pressed_s = float("-inf")
        self._let_go_s = float("-inf")
        self._stuck = False
        """Whether it was said that it is stuck."""

    @property
    def down(self) -> bool:
        """Whether a press has not come to its end."""
        return self._down_s is not None

    @property
    def seems_down(self) -> bool:
        """What the edges say, for a button that can't be looked at."""
        return self._down_s is not None and self._up_s is None

    def pressed(self, t_s: float) -> tuple[Press, ...]:
        """Take an edge down, at a time in monotonic seconds."""
        if self._down_s is None:
            return () if t_s - self._let_go_s < BOUNCE_S else (self._begin(t_s),)
        up_s, self._up_s = self._up_s, None
        if up_s is not None and t_s - up_s >= BOUNCE_S:
            # Let go and pressed again between two looks.
            return (*self._end(up_s), self._begin(t_s))
        if up_s is None and t_s - self._pressed_s >= BOUNCE_S:
            # An edge up was lost, so when it was let go is not known, and not how long it was held.
            return (self._begin(t_s),) if self._stuck else (Press.LET_GO, self._begin(t_s))
        return ()

    def let_go(self, t_s: float) -> None:
        """Take an edge up."""
        if self._down_s is not None and self._up_s is None:
            self._up_s = t_s

    def look(self, t_s: float, *, down: bool) -> tuple[Press, ...]:
        """Take a look at the button."""
        if self._down_s is None:
            return self.pressed(t_s) if down else ()
        if down:
            self._up_s = None
            if t_s - self._down_s >= STUCK_S and not self._stuck:
                self._stuck = True
                return (Press.STUCK,)
        elif self._up_s is None:
            self._up_s = t_s
        elif t_s - self._up_s >= BOUNCE_S:
            return self._end(self._up_s)
        return ()

    def stage(self, t_s: float) -> Show | None:
        """Return what the light counts for a button that is down: what letting go would do; None where it is up, or stuck."""
        if self._down_s is None:
            return None
        held_s = (t_s if self._up_s is None else self._up_s) - self._down_s
        if held_s >= STUCK_S:
            return None
        if held_s < PAUSE_S:
            return Show.LOOKING
        return Show.HOLD_PAUSE if held_s < PRIVACY_S else Show.HOLD_PRIVACY if held_s < RESET_S else Show.HOLD_RESET

    def _begin(self, t_s: float) -> Press:
        again = t_s - self._pressed_s < DOUBLE_S
        self._down_s = self._pressed_s = t_s
        self._up_s, self._stuck = None, False
        return Press.NEXT if again else Press.SCAN

    def _end(self, t_s: float) -> tuple[Press, ...]:
        means = () if self._stuck else (_MEANS[self.stage(t_s)],)
        self._down_s = self._up_s = None
        self._let_go_s, self._stuck = t_s, False
        return means


_MEANS: dict[Show | None, Press] = {None: Press.STUCK, Show.LOOKING: Press.LET_GO, Show.HOLD_PAUSE: Press.PAUSE, Show.HOLD_PRIVACY: Press.PRIVACY, Show.HOLD_RESET: Press.RESET}
