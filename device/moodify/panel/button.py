"""A push button on gpiozero: it connects its pin to ground."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from gpiozero import Button

from moodify.errors import PersonMustAct
from moodify.panel.gestures import Gestures
from moodify.panel.port import Press, Show

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.panel.port import Light

log = logging.getLogger(__name__)

#: Seconds between two looks at the button: while it is down, and while it is up, for edges that were lost.
LOOK_DOWN_S, LOOK_UP_S = 0.04, 0.25
#: The light answers a press for so long at least, in seconds, or a short one would not be seen.
ANSWER_S = 0.5
#: How long closing waits for the button's thread, in seconds.
_END_S = 2.0


class PushButton:
    """Calls back with what a person asked for: a press on gpiozero's thread, at once; what follows from looks on its own."""

    def __init__(self, factory: Any, pin: int, on_press: Callable[[Press], None], *, light: Light | None = None, now_s: Callable[[], float] = time.monotonic) -> None:
        """Claim the pin.

        Args:
            factory: gpiozero's pin factory.
            pin: BCM number.
            on_press: called at once, on one thread at a time; must not block.
            light: answers a press before ``on_press`` is called, and counts along with a hold, whatever else goes on.
            now_s: the clock, in monotonic seconds.

        Raises:
            PersonMustAct: the pin does not exist or is in use.
        """
        self._on_press = on_press
        self._light = light
        self._now_s = now_s
        self._gestures = Gestures()
        self._lock = threading.Lock()
        self._closing = False
        self._edge = threading.Event()
        self._answer_until_s = float("-inf")
        self._broken = False
        try:
            self._button = Button(pin, pull_up=True, pin_factory=factory)
        except Exception as error:  # lgpio's own errors can't be named where it is not installed
            raise PersonMustAct(f"the button's pin {pin} can't be used ({error}); choose another button_pin in [panel]") from error
        self._button.when_pressed = self._pressed
        self._button.when_released = self._let_go
        self._thread = threading.Thread(target=self._run, name="button", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the pin back."""
        self._closing = True
        self._edge.set()
        self._thread.join(_END_S)
        self._button.close()

    def look(self) -> None:
        """Look at the button, for what edges have not told, and let the light count along."""
        try:
            down = bool(self._button.is_pressed)
        except Exception as error:  # noqa: BLE001 - lgpio's errors have no common name, and its edges may still come
            if not self._broken:
                log.warning("the button can't be looked at: %s", error)
            self._broken = True
            down = self._gestures.seems_down
        with self._lock:
            t_s = self._now_s()
            self._take(self._gestures.look(t_s, down=down), t_s)
            self._count_along(t_s)

    def _pressed(self) -> None:
        with self._lock:
            t_s = self._now_s()
            self._take(self._gestures.pressed(t_s), t_s)
        self._edge.set()

    def _let_go(self) -> None:
        with self._lock:
            self._gestures.let_go(self._now_s())
        self._edge.set()

    def _take(self, presses: tuple[Press, ...], t_s: float) -> None:
        if self._light is not None and {Press.SCAN, Press.NEXT} & {*presses}:
            self._answer_until_s = t_s + ANSWER_S
            self._light.answer(Show.LOOKING)
        for press in presses:
            log.debug("button: %s", press)
            self._on_press(press)

    def _count_along(self, t_s: float) -> None:
        if self._light is None:
            return
        stage = self._gestures.stage(t_s)
        if stage is not None:
            self._light.answer(stage)
        elif t_s >= self._answer_until_s:
            self._light.answer(None)

    def _run(self) -> None:
        while not self._closing:
            self._edge.wait(LOOK_DOWN_S if self._gestures.down or self._now_s() < self._answer_until_s else LOOK_UP_S)
            if self._edge.is_set():
                self._edge.clear()
                # What an edge says is believed once the contact has come to rest.
                time.sleep(LOOK_DOWN_S)
            if not self._closing:
                self.look()
