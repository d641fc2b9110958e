"""The button and the light together, by the configuration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moodify.panel.button import PushButton
from moodify.panel.light import PlainLight, RgbLight
from moodify.panel.opening import NoLight
from moodify.panel.pins import on_a_pi, pin_factory

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from moodify.config.model import PanelConfig
    from moodify.panel.port import Light, Press


class Panel:
    """The button and the light; off a Pi on mock pins, which tests press and nobody else."""

    def __init__(self, config: PanelConfig, on_press: Callable[[Press], None], *, factory: Any = None, now_s: Callable[[], float] = time.monotonic) -> None:
        """Claim the pins.

        Args:
            config: the section ``[panel]``.
            on_press: called on gpiozero's thread, at once; must not block.
            factory: gpiozero's pin factory; None chooses by the machine. It is closed with the panel.
            now_s: the clock, in monotonic seconds.

        Raises:
            PersonMustAct: the pins can't be used; the appliance works without them.
        """
        self.factory = factory if factory is not None else pin_factory(real=on_a_pi())
        try:
            self.light = _light(config, self.factory)
        except BaseException:
            self.factory.close()
            raise
        try:
            self._button = PushButton(self.factory, config.button_pin, on_press, light=self.light, now_s=now_s)
        except BaseException:
            self.light.close()
            self.factory.close()
            raise

    def close(self) -> None:
        """Put the light out and give the pins back."""
        self._button.close()
        self.light.close()
        self.factory.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()


def _light(config: PanelConfig, factory: Any) -> Light:
    match config.led:
        case "rgb":
            return RgbLight(
                factory,
                red_pin=config.led_red_pin,
                green_pin=config.led_green_pin,
                blue_pin=config.led_blue_pin,
                active_high=config.led_active_high,
                brightness=config.brightness,
            )
        case "plain":
            return PlainLight(factory, pin=config.led_pin, active_high=config.led_active_high, brightness=config.brightness)
        case "none":
            return NoLight()
