"""Which pins there are: a Pi's real ones, or gpiozero's mock pins on any other machine."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any, Final

from moodify.errors import PersonMustAct

#: A mock pin remembers so many of its states. gpiozero's own remembers them all: 6 MB an hour while music plays and the light breathes, 20 MB an
#: hour while it swells and ebbs for a part that is degraded.
STATES_AT_MOST: Final = 100


def on_a_pi(model: Path = Path("/proc/device-tree/model")) -> bool:
    """Whether this is a Raspberry Pi, by what the firmware says."""
    try:
        return model.read_text(encoding="utf-8", errors="replace").startswith("Raspberry Pi")
    except OSError:
        return False


def pin_factory(*, real: bool) -> Any:
    """Return a gpiozero pin factory; whoever asks for it closes it.

    Args:
        real: lgpio's, and no other that gpiozero might fall back to; else mock pins, whose
            ``factory.pin(17).drive_low()`` presses the button. lgpio writes a file where it starts: the working folder,
            or the one named by the environment's ``LG_WD``, must be writable.

    Raises:
        PersonMustAct: lgpio is missing, or may not use the pins.
    """
    if not real:
        return _mock_pins()
    try:
        from gpiozero.pins.lgpio import LGPIOFactory

        return LGPIOFactory()
    except Exception as error:  # lgpio's own errors can't be named where it is not installed
        raise PersonMustAct(
            f"the button's pins can't be used ({error}); install python3-lgpio, add the user to the group gpio, set LG_WD to a writable folder, or set enabled = false in [panel]"
        ) from error


def _mock_pins() -> Any:
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    class ForgetfulPin(MockPWMPin):  # type: ignore[misc] # gpiozero has no types
        states: Any

        def clear_states(self) -> None:
            super().clear_states()
            self.states = deque(self.states, STATES_AT_MOST)

    return MockFactory(pin_class=ForgetfulPin)
