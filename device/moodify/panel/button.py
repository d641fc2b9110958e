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


class PushButton:
    """Calls back with what a person asked for, on gpiozero's thread."""

    def __init__(self, factory: Any, pin: int, on_press: Callable[[Press], None], *, light: Light | None = None, now_s: Callable[[], float] = time.monotonic) -> None:
        """Claim the pin.

        Args:
            factory: gpiozero's pin factory.
            pin: BCM number.
            on_press: called at once; must not block.
            light: shows that the appliance is looking before ``on_press`` is called, so that it answers whatever else goes on.
            now_s: the clock, in monotonic seconds.

        Raises:
            PersonMustAct: the pin does not exist or is in use.
        """
        self._on_press = on_press
        self._light = light
        self._now_s = now_s
        self._gestures = Gestures()
        self._lock = threading.Lock()
        try:
            self._button = Button(pin, pull_up=True, pin_factory=factory)
        except Exception as error:  # lgpio's own errors can't be named where it is not installed
            raise PersonMustAct(f"the button's pin {pin} can't be used ({error}); choose another button_pin in [panel]") from error
        self._button.when_pressed = self._pressed
        self._button.when_released = self._let_go

    def close(self) -> None:
        """Give the pin back."""
        self._button.close()

    def _pressed(self) -> None:
        with self._lock:
            press = self._gestures.pressed(self._now_s())
        if press is Press.SCAN and self._light is not None:
            self._light.show(Show.LOOKING)
        self._tell(press)

    def _let_go(self) -> None:
        # An edge may come late or be the contact's bouncing: what counts is whether the button is up now.
        if self._button.is_pressed:
            return
        with self._lock:
            press = self._gestures.let_go(self._now_s())
        self._tell(press)

    def _tell(self, press: Press | None) -> None:
        if press is not None:
            log.debug("button: %s", press)
            self._on_press(press)
