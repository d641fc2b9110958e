"""The light on gpiozero: an RGB light, or a plain one. What it says stands in :mod:`moodify.panel.language`."""

from __future__ import annotations

import contextlib
import logging
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gpiozero import PWMLED, RGBLED

from moodify.errors import PersonMustAct
from moodify.panel.language import level, rhythm_of
from moodify.panel.port import Show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moodify.panel.language import Colour, Rhythm
    from moodify.types import Mood

log = logging.getLogger(__name__)

#: Seconds between two shades of a fade: quicker than the eye.
FADE_STEP_S = 0.04
#: How long closing waits for the light's thread, in seconds.
_END_S = 2.0


class GpioLight:
    """A light on pins; a thread of its own keeps its rhythm. Thread-safe.

    The first colour of what is told is on the pins when the call returns, whoever calls: the light answers a finger
    whatever else the appliance is busy with.
    """

    def __init__(self, led: Any, brightness: float) -> None:
        """Take one of gpiozero's lights, which is dark, and start.

        Args:
            led: RGBLED, or PWMLED; closed with the light.
            brightness: of everything, from 0 to 1.
        """
        self._led = led
        self._brightness = brightness
        self._changed = threading.Condition()
        self._state: tuple[Show, Mood | None] = (Show.OFF, None)
        self._answer: Show | None = None
        self._turn = 0
        """Counts what was told, so that the thread notices."""
        self._closed = False
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)
        self._thread.start()

    def show(self, what: Show, mood: Mood | None = None) -> None:
        """Show a state. The same state again goes on undisturbed; while a finger is answered it waits."""
        with self._changed:
            self._tell((what, mood), self._answer)

    def answer(self, what: Show | None) -> None:
        """Answer a finger, before any state; None goes back to the state."""
        with self._changed:
            self._tell(self._state, what)

    @property
    def shown(self) -> tuple[Show, Mood | None]:
        """What it says now."""
        return self._state if self._answer is None else (self._answer, None)

    @property
    def colour(self) -> Colour:
        """What shines now: red, green and blue from 0 to 1; all three the same for a plain light."""
        value = self._led.value
        red, green, blue = value if isinstance(value, tuple) else (value, value, value)
        return float(red), float(green), float(blue)

    def close(self) -> None:
        """Put it out and give the pins back."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_END_S)
        with contextlib.suppress(Exception):  # pins that are gone need no giving back
            self._led.close()

    def _tell(self, state: tuple[Show, Mood | None], answer: Show | None) -> None:
        before = self.shown
        self._state, self._answer = state, answer
        if self.shown != before and not self._closed:
            self._turn += 1
            self._shine(rhythm_of(*self.shown)[0].colour)
            self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                self._go_round(self._turn)

    def _go_round(self, turn: int) -> None:
        def over() -> bool:
            return self._closed or self._turn != turn

        for colour, for_s in _shades(rhythm_of(*self.shown)):
            self._shine(colour)
            # Without an end there is nothing to do until something else is told.
            if self._changed.wait_for(over, for_s if for_s < threading.TIMEOUT_MAX else None):
                return

    def _shine(self, colour: Colour) -> None:
        red, green, blue = (part * self._brightness for part in colour)
        try:
            self._put(red, green, blue)
        except Exception as error:  # noqa: BLE001 - a light must never stop what it shows; lgpio's errors have no common name
            if not self._failed:
                log.warning("the light does not work: %s", error)
            self._failed = True

    def _put(self, red: float, green: float, blue: float) -> None:
        self._led.value = (red, green, blue)


class PlainLight(GpioLight):
    """One LED of one colour: it speaks by rhythm alone."""

    def __init__(self, factory: Any, *, pin: int, active_high: bool = True, brightness: float = 0.6) -> None:
        """Claim the pin, dark.

        Args:
            factory: gpiozero's pin factory.
            pin: BCM number.
            active_high: True where the other leg is at ground.
            brightness: of everything, from 0 to 1.

        Raises:
            PersonMustAct: the pin does not exist or is in use.
        """
        try:
            led = PWMLED(pin, active_high=active_high, pin_factory=factory)
        except Exception as error:  # lgpio's own errors can't be named where it is not installed
            raise PersonMustAct(f"the light's pin {pin} can't be used ({error}); choose another led_pin in [panel]") from error
        super().__init__(led, brightness)

    def _put(self, red: float, green: float, blue: float) -> None:
        self._led.value = level((red, green, blue))


class RgbLight(GpioLight):
    """Three LEDs in one case."""

    def __init__(self, factory: Any, *, red_pin: int, green_pin: int, blue_pin: int, active_high: bool = True, brightness: float = 0.6) -> None:
        """Claim the pins, dark.

        Args:
            factory: gpiozero's pin factory.
            red_pin: BCM number.
            green_pin: BCM number.
            blue_pin: BCM number.
            active_high: True for a common cathode, False for a common anode.
            brightness: of everything, from 0 to 1.

        Raises:
            PersonMustAct: a pin does not exist or is in use.
        """
        try:
            led = RGBLED(red_pin, green_pin, blue_pin, active_high=active_high, pin_factory=factory)
        except Exception as error:  # lgpio's own errors can't be named where it is not installed
            raise PersonMustAct(f"the light's pins {red_pin}, {green_pin}, {blue_pin} can't be used ({error}); choose others in [panel]") from error
        super().__init__(led, brightness)


def _shades(rhythm: Rhythm) -> Sequence[tuple[Colour, float]]:
    """Return a round of a rhythm as steady colours and their seconds: a fade becomes many."""
    round_ = (rhythm[-1], *rhythm)
    shades: list[tuple[Colour, float]] = []
    for before, step in pairwise(round_):
        if not step.fade:
            shades.append((step.colour, step.for_s))
            continue
        count = max(1, round(step.for_s / FADE_STEP_S))
        shades += [(_between(before.colour, step.colour, (number + 1) / count), step.for_s / count) for number in range(count)]
    return shades


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue
