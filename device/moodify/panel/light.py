"""An RGB light on gpiozero.

=============  =====================================  =======================
state          colour                                 rhythm
=============  =====================================  =======================
off            none
idle           white, faint                           steady
looking        white                                  on at once, fades, again
mood           the mood's                             steady
degraded       orange                                 swells slowly
privacy        red                                    a wink every four seconds
needs person   red                                    blinks
=============  =====================================  =======================

Moods: happy yellow, surprised pink, calm green, sad blue, angry red, tense violet, unsure grey; absent is as idle.
States differ in rhythm as well as in colour, for people who do not tell red from green.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import Any

from gpiozero import RGBLED

from moodify.errors import PersonMustAct
from moodify.panel.port import Show
from moodify.types import Mood

log = logging.getLogger(__name__)

Colour = tuple[float, float, float]

_BLACK: Colour = (0.0, 0.0, 0.0)
MOOD_COLOURS: dict[Mood, Colour] = {
    Mood.HAPPY: (1.0, 0.7, 0.0),
    Mood.SURPRISED: (1.0, 0.2, 0.5),
    Mood.CALM: (0.0, 0.8, 0.2),
    Mood.SAD: (0.0, 0.2, 1.0),
    Mood.ANGRY: (1.0, 0.0, 0.0),
    Mood.TENSE: (0.5, 0.0, 1.0),
    Mood.UNSURE: (0.3, 0.3, 0.3),
    Mood.ABSENT: (0.08, 0.08, 0.08),
}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A colour in time: all in seconds; without any it is steady."""

    colour: Colour
    on_s: float = 0.0
    off_s: float = 0.0
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0

    @property
    def steady(self) -> bool:
        """Whether it stays as it is."""
        return self.on_s + self.off_s + self.fade_in_s + self.fade_out_s == 0.0


RHYTHMS: dict[Show, Rhythm] = {
    Show.OFF: Rhythm(_BLACK),
    Show.IDLE: Rhythm(MOOD_COLOURS[Mood.ABSENT]),
    Show.LOOKING: Rhythm((1.0, 1.0, 1.0), on_s=0.2, fade_out_s=0.6),
    Show.DEGRADED: Rhythm((1.0, 0.35, 0.0), fade_in_s=1.5, fade_out_s=1.5),
    Show.PRIVACY: Rhythm((1.0, 0.0, 0.0), on_s=0.15, off_s=3.85),
    Show.NEEDS_PERSON: Rhythm((1.0, 0.0, 0.0), on_s=0.5, off_s=0.5),
}


def rhythm_of(what: Show, mood: Mood | None) -> Rhythm:
    """Return what the light does for a state; a mood that is not given is shown as unsure."""
    return Rhythm(MOOD_COLOURS[mood if mood is not None else Mood.UNSURE]) if what is Show.MOOD else RHYTHMS[what]


class RgbLight:
    """Three pins that shine. Thread-safe."""

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
        self._brightness = brightness
        self._lock = threading.Lock()
        self._shown: tuple[Show, Mood | None] | None = None
        self._failed = False
        try:
            self._led = RGBLED(red_pin, green_pin, blue_pin, active_high=active_high, pin_factory=factory)
        except Exception as error:  # lgpio's own errors can't be named where it is not installed
            raise PersonMustAct(f"the light's pins {red_pin}, {green_pin}, {blue_pin} can't be used ({error}); choose others in [panel]") from error

    def show(self, what: Show, mood: Mood | None = None) -> None:
        """Show a state; ``mood`` for :attr:`Show.MOOD`. The same state again goes on undisturbed."""
        with self._lock:
            if self._shown == (what, mood):
                return
            self._shown = (what, mood)
            rhythm = rhythm_of(what, mood)
            red, green, blue = (part * self._brightness for part in rhythm.colour)
            try:
                if rhythm.steady:
                    self._led.color = (red, green, blue)
                else:
                    self._led.blink(rhythm.on_s, rhythm.off_s, rhythm.fade_in_s, rhythm.fade_out_s, on_color=(red, green, blue), off_color=_BLACK)
            except Exception as error:  # noqa: BLE001 - a light must never stop what it shows; lgpio's errors have no common name
                if not self._failed:
                    log.warning("the light does not work: %s", error)
                self._failed = True

    @property
    def colour(self) -> Colour:
        """What shines now: red, green and blue from 0 to 1."""
        red, green, blue = self._led.value
        return float(red), float(green), float(blue)

    def close(self) -> None:
        """Put it out and give the pins back."""
        with self._lock:
            self._shown = (Show.OFF, None)
            with contextlib.suppress(Exception):  # pins that are gone need no giving back
                self._led.close()
