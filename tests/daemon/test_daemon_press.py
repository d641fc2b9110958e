"""The light answers a finger whatever else goes on: while speaker, eyes and conductor all stand still, and while the house is yet to open."""

import os
import signal
import threading

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from moodify.camera.opening import CameraOpener
from moodify.camera.sample import SampleCamera
from moodify.config.load import parse
from moodify.daemon import salvage
from moodify.daemon.app import run
from moodify.daemon.conductor import Conductor
from moodify.daemon.dj import Dj
from moodify.daemon.options import Options
from moodify.daemon.presses import Presses
from moodify.daemon.signals import Pressed
from moodify.panel.port import Press
from moodify.store.store import Store
from moodify.vision import eyes

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
    sight, dj = Stuck(monkeypatch, eyes.Eyes, "see"), Stuck(monkeypatch, Dj, "_looked")
    parts = [sight, dj, Stuck(monkeypatch, Conductor, "_tick", sight, dj)]
    handled, seen = [], {}
    inner = Presses.take
    monkeypatch.setattr(Presses, "take", lambda self, pressed: (handled.append(pressed), inner(self, pressed))[1])

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


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("the database is made ready", lambda patch: Stuck(patch, salvage, "prepare")),
        ("the camera opens", lambda patch: Stuck(patch, CameraOpener, "__call__")),
        ("the models are read", lambda patch: Stuck(patch, eyes, "open_eyes")),
        ("the camera gives no frame", lambda patch: Stuck(patch, SampleCamera, "read")),
        ("an event is written", lambda patch: Stuck(patch, Store, "record")),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_press_is_on_the_pins_of_the_light_while(tmp_path, monkeypatch, what, how):
    monkeypatch.setenv("HOME", str(tmp_path))
    factory = MockFactory(pin_class=MockPWMPin)
    slow = how(monkeypatch)
    seen = {}

    def finger():
        seen["stuck"] = slow.entered.wait(STUCK_WITHIN_S)
        seen["before"] = factory.pin(22).state
        factory.pin(17).drive_low()
        seen["after"] = factory.pin(22).state
        factory.pin(17).drive_high()
        slow.let.set()
        # What the finger meant is done once the house stands.
        seen["handled"] = handled.wait(STUCK_WITHIN_S)
        os.kill(os.getpid(), signal.SIGINT)

    handled = threading.Event()
    inner = Presses.take
    monkeypatch.setattr(Presses, "take", lambda self, pressed: (inner(self, pressed), handled.set())[0])
    thread = threading.Thread(target=finger)
    thread.start()
    code = run(parse(TOML, source="test"), Options(pins=factory))
    thread.join(20)
    assert (code, seen["stuck"], seen["handled"]) == (0, True, True), what
    assert seen["before"] < 0.2
    assert seen["after"] > 0.5
