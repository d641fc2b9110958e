"""The light answers a finger whatever else goes on: while speaker, eyes and conductor all stand still."""

import os
import signal
import threading

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from moodify.config.load import parse
from moodify.daemon.app import Options, run
from moodify.daemon.conductor import Conductor
from moodify.daemon.dj import Dj
from moodify.daemon.signals import Pressed
from moodify.panel.port import Press
from moodify.vision.eyes import Eyes

TOML = '[camera]\nsource = "sample"\n[music]\nspeaker = "simulated"\n[web]\nenabled = false\n[link]\nenabled = false\n[panel]\n'
STUCK_WITHIN_S = 30.0


class Stuck:
    """A method that does not return until it is let, once the others stand still too."""

    def __init__(self, monkeypatch, kind, name, *others):
        self.entered, self.let = threading.Event(), threading.Event()
        inner = getattr(kind, name)

        def stuck(*arguments, **options):
            if all(other.entered.is_set() for other in others):
                self.entered.set()
                assert self.let.wait(60)
            return inner(*arguments, **options)

        monkeypatch.setattr(kind, name, stuck)


@pytest.mark.parametrize(("led", "pins"), [("rgb", (22, 27, 24)), ("plain", (22,))])
def test_a_press_is_on_the_pins_of_the_light_before_anybody_else_has_moved(tmp_path, monkeypatch, led, pins):
    monkeypatch.setenv("HOME", str(tmp_path))
    factory = MockFactory(pin_class=MockPWMPin)
    eyes, dj = Stuck(monkeypatch, Eyes, "see"), Stuck(monkeypatch, Dj, "_looked")
    parts = [eyes, dj, Stuck(monkeypatch, Conductor, "_tick", eyes, dj)]
    handled, seen = [], {}
    inner = Conductor._pressed
    monkeypatch.setattr(Conductor, "_pressed", lambda self, pressed: (handled.append(pressed), inner(self, pressed))[1])

    def finger():
        seen["stuck"] = all(part.entered.wait(STUCK_WITHIN_S) for part in parts)
        seen["before"] = [factory.pin(pin).state for pin in pins]
        # The edge comes on this thread, and what it does is done when this returns: nothing is waited for.
        factory.pin(17).drive_low()
        seen["after"] = [factory.pin(pin).state for pin in pins]
        seen["handled"] = list(handled)
        for part in parts:
            part.let.set()
        factory.pin(17).drive_high()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=finger)
    code = run(parse(f'{TOML}led = "{led}"\n', source="test"), Options(pins=factory, attach=lambda _running: thread.start()))
    thread.join(20)
    assert (code, seen["stuck"]) == (0, True)
    assert all(state < 0.2 for state in seen["before"])
    assert all(state > 0.5 for state in seen["after"])
    # The light did not wait for the conductor, which learns of the press afterwards.
    assert seen["handled"] == []
    assert Press.SCAN in [pressed.press for pressed in handled if isinstance(pressed, Pressed)]
