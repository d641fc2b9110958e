import importlib.util
import logging
import time

import pytest
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from moodify.config.model import PanelConfig
from moodify.errors import PersonMustAct
from moodify.panel.light import MOOD_COLOURS, RHYTHMS, RgbLight, rhythm_of
from moodify.panel.opening import open_panel
from moodify.panel.panel import Panel
from moodify.panel.pins import on_a_pi, pin_factory
from moodify.panel.port import Press, Show
from moodify.types import Mood


class Hand:
    """Presses the button, and moves the clock meanwhile."""

    def __init__(self):
        self.pressed = []
        self.shown_at_press = []
        self.t_s = 100.0
        self.panel = Panel(PanelConfig(), self.note, factory=pin_factory(real=False), now_s=lambda: self.t_s)
        self.pin = self.panel.factory.pin(17)

    def note(self, press):
        self.pressed.append(press)
        self.shown_at_press.append(self.panel.light._shown)

    def hold(self, seconds):
        self.pin.drive_low()
        self.t_s += seconds
        self.pin.drive_high()
        self.t_s += 1.0


@pytest.fixture
def hand():
    hand = Hand()
    with hand.panel:
        yield hand


@pytest.fixture
def light():
    factory = MockFactory(pin_class=MockPWMPin)
    light = RgbLight(factory, red_pin=22, green_pin=27, blue_pin=24, brightness=0.5)
    yield light
    light.close()
    factory.close()


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_press_lights_the_light_before_it_is_told(hand):
    hand.pin.drive_low()
    assert hand.pressed == [Press.SCAN]
    assert hand.shown_at_press == [(Show.LOOKING, None)]
    wait_for(lambda: hand.panel.light.colour[0] > 0)


def test_holds_pause_and_ask_for_privacy(hand):
    hand.hold(3.0)
    hand.hold(8.0)
    assert hand.pressed == [Press.SCAN, Press.PAUSE, Press.SCAN, Press.PRIVACY]


def test_an_edge_up_while_the_button_is_still_down_is_not_believed(hand):
    hand.pin.drive_low()
    hand.t_s += 3.0
    hand.panel._button._let_go()
    assert hand.pressed == [Press.SCAN]


def test_closing_gives_the_pins_back(hand):
    config = PanelConfig()
    hand.panel.close()
    with Panel(config, hand.note, factory=pin_factory(real=False)) as again:
        assert again.light.colour == (0.0, 0.0, 0.0)


def test_the_light_shows_each_mood_in_its_colour_at_its_brightness(light):
    for mood, colour in MOOD_COLOURS.items():
        light.show(Show.MOOD, mood)
        assert light.colour == pytest.approx([part * 0.5 for part in colour], abs=0.01)


def test_every_state_and_mood_can_be_told_from_the_others():
    rhythms = [RHYTHMS[what] for what in Show if what is not Show.MOOD] + [rhythm_of(Show.MOOD, mood) for mood in Mood if mood is not Mood.ABSENT]
    assert len(set(rhythms)) == len(rhythms)


def test_a_rhythm_goes_on_and_off(light):
    light.show(Show.LOOKING)
    wait_for(lambda: light.colour[0] > 0.4)
    wait_for(lambda: light.colour[0] < 0.2)


def test_off_is_dark(light):
    light.show(Show.NEEDS_PERSON)
    light.show(Show.OFF)
    assert light.colour == (0.0, 0.0, 0.0)


def test_a_light_that_fails_is_logged_once_and_stops_nobody(light, caplog):
    light._led.close()
    with caplog.at_level(logging.WARNING):
        light.show(Show.IDLE)
        light.show(Show.LOOKING)
    assert [record.message.split(":")[0] for record in caplog.records] == ["the light does not work"]


def test_pins_that_are_in_use_say_what_to_do():
    factory = pin_factory(real=False)
    with Panel(PanelConfig(), lambda _press: None, factory=factory), pytest.raises(PersonMustAct, match=r"\[panel\]"):
        RgbLight(factory, red_pin=22, green_pin=27, blue_pin=24)


def test_a_panel_that_can_not_open_gives_back_what_it_had():
    factory = MockFactory(pin_class=MockPWMPin)
    factory.pin(17, pin_class=MockPWMPin)
    factory.pin_class = MockPin
    with pytest.raises(PersonMustAct):
        Panel(PanelConfig(), lambda _press: None, factory=factory)
    assert not factory._reservations[22]


def test_a_panel_that_is_not_wanted_is_not_opened():
    panel = open_panel(PanelConfig(enabled=False), lambda _press: None)
    panel.light.show(Show.LOOKING)
    panel.close()
    assert not isinstance(panel, Panel)


def test_off_a_pi_the_panel_opens_on_mock_pins():
    if on_a_pi():
        pytest.skip("hardware: this is a Pi")
    pressed = []
    panel = open_panel(PanelConfig(), pressed.append)
    panel.factory.pin(17).drive_low()
    panel.close()
    assert pressed == [Press.SCAN]


@pytest.mark.skipif(importlib.util.find_spec("lgpio") is not None, reason="hardware: lgpio is installed here")
def test_without_lgpio_the_message_says_what_to_install():
    with pytest.raises(PersonMustAct, match="python3-lgpio"):
        pin_factory(real=True)


@pytest.mark.parametrize(("model", "pi"), [("Raspberry Pi 4 Model B Rev 1.4\0", True), ("Acme Board\0", False)])
def test_a_pi_is_known_by_its_firmware(tmp_path, model, pi):
    (tmp_path / "model").write_text(model)
    assert on_a_pi(tmp_path / "model") is pi
    assert not on_a_pi(tmp_path / "missing")
