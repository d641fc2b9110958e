import importlib.util
import logging
import threading
import time

import pytest
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from moodify.config.load import parse
from moodify.config.model import PanelConfig
from moodify.errors import ConfigError, PersonMustAct
from moodify.panel.language import MOOD_COLOURS, level, rhythm_of
from moodify.panel.light import PlainLight, RgbLight
from moodify.panel.opening import open_panel
from moodify.panel.panel import Panel
from moodify.panel.pins import STATES_AT_MOST, on_a_pi, pin_factory
from moodify.panel.port import Press, Show
from moodify.types import FELT_MOODS, Mood


class Hand:
    """Presses the button, and moves the clock meanwhile."""

    def __init__(self, **config):
        self.pressed = []
        self.shown_at_press = []
        self.t_s = 100.0
        self.panel = Panel(PanelConfig(**config), self.note, factory=pin_factory(real=False), now_s=lambda: self.t_s)
        self.pin = self.panel.factory.pin(17)

    def note(self, press):
        self.pressed.append(press)
        self.shown_at_press.append(getattr(self.panel.light, "shown", (None, None))[0])

    def look(self):
        self.panel._button.look()
        return self.panel.light.shown[0]

    def hold(self, seconds):
        self.pin.drive_low()
        self.t_s += seconds
        self.pin.drive_high()
        self.rest()

    def rest(self):
        """Let time pass until all that was done is told."""
        for _ in range(3):
            self.t_s += 0.5
            self.panel._button.look()


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


def claimed(factory, *pins):
    """Return which of these pins some part holds."""
    return [pin for pin in pins for _, info in factory.board_info.find_pin(pin) if any(holder() is not None for holder in factory._reservations[info])]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_press_lights_the_light_before_it_is_told(hand):
    hand.pin.drive_low()
    # All of it on the thread that the edge came on: no other has a say.
    assert hand.pressed == [Press.SCAN]
    assert hand.shown_at_press == [Show.LOOKING]


@pytest.mark.parametrize("led", ["rgb", "plain"])
def test_the_pins_shine_when_the_edge_has_been_handled(led):
    hand = Hand(led=led)
    with hand.panel:
        # Nobody is there to draw it later: the thread that keeps the rhythm stands still.
        with hand.panel.light._changed:
            pressing = threading.Thread(target=hand.pin.drive_low)
            pressing.start()
        pressing.join(30)
        assert hand.panel.light.colour[0] > 0


def test_the_light_counts_along_with_a_hold_and_goes_back_to_what_was(hand):
    hand.panel.light.show(Show.PRIVACY)
    hand.pin.drive_low()
    counted = []
    for after_s in (0.1, 2.0, 4.0, 9.0, 60.0):
        hand.t_s += after_s
        counted.append(hand.look())
    assert counted == [Show.LOOKING, Show.HOLD_PAUSE, Show.HOLD_PRIVACY, Show.HOLD_RESET, Show.PRIVACY]
    hand.pin.drive_high()
    hand.rest()
    assert hand.panel.light.shown[0] is Show.PRIVACY


def test_a_short_press_is_answered_long_enough_to_be_seen(hand):
    hand.panel.light.show(Show.IDLE)
    hand.pin.drive_low()
    hand.t_s += 0.05
    hand.pin.drive_high()
    hand.look()
    hand.t_s += 0.1
    assert hand.look() is Show.LOOKING
    assert hand.pressed == [Press.SCAN, Press.LET_GO]
    hand.t_s += 0.4
    assert hand.look() is Show.IDLE


def test_what_the_house_shows_meanwhile_waits_for_the_finger(hand):
    hand.pin.drive_low()
    hand.panel.light.show(Show.MOOD, Mood.HAPPY)
    assert hand.panel.light.shown == (Show.LOOKING, None)
    hand.pin.drive_high()
    hand.rest()
    assert hand.panel.light.shown == (Show.MOOD, Mood.HAPPY)


def test_holds_pause_ask_for_privacy_and_for_a_reset(hand):
    for seconds in (0.1, 3.0, 8.0, 20.0):
        hand.hold(seconds)
    assert hand.pressed == [Press.SCAN, Press.LET_GO, Press.SCAN, Press.PAUSE, Press.SCAN, Press.PRIVACY, Press.SCAN, Press.RESET]


def test_an_edge_up_while_the_button_is_still_down_is_not_believed(hand):
    hand.pin.drive_low()
    hand.t_s += 3.0
    hand.panel._button._let_go()
    hand.rest()
    assert hand.pressed == [Press.SCAN]


@pytest.mark.parametrize("lost", [Press.SCAN, Press.LET_GO], ids=["down", "up"])
def test_edges_that_are_lost_are_found_by_looking(hand, lost):
    if lost is Press.LET_GO:
        hand.pin.drive_low()
    hand.panel._button._button.when_pressed = hand.panel._button._button.when_released = None
    if lost is Press.LET_GO:
        hand.pin.drive_high()
        hand.t_s += 3.0
        wait_for(lambda: (hand.look(), hand.pressed)[1] == [Press.SCAN])
        hand.t_s += 0.1
        # It had been let go for as long as nobody looked: the look found it up at once.
        wait_for(lambda: hand.pressed[-1] is not Press.SCAN)
    else:
        hand.pin.drive_low()
        wait_for(lambda: hand.pressed == [Press.SCAN])


def test_a_button_that_can_not_be_looked_at_goes_by_its_edges(hand, monkeypatch, caplog):
    def broken(_self):
        raise OSError("no such chip")

    monkeypatch.setattr(type(hand.panel._button._button), "is_pressed", property(broken))
    hand.hold(3.0)
    assert hand.pressed == [Press.SCAN, Press.PAUSE]
    assert [record.message for record in caplog.records] == ["the button can't be looked at: no such chip"]


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
    rhythms = [rhythm_of(what) for what in Show if what not in {Show.MOOD, Show.PLAYING}]
    rhythms += [rhythm_of(Show.MOOD, mood) for mood in Mood if mood is not Mood.ABSENT] + [rhythm_of(Show.PLAYING, mood) for mood in (*FELT_MOODS, Mood.UNSURE)]
    assert len(set(rhythms)) == len(rhythms)


def test_a_plain_light_tells_every_state_by_its_rhythm():
    moods = {Show.MOOD: Mood.CALM, Show.PLAYING: Mood.CALM}
    rhythms = {tuple((round(level(step.colour), 1), step.for_s, step.fade) for step in rhythm_of(what, moods.get(what))) for what in Show}
    assert len(rhythms) == len(Show)
    # How bright it is does not say it alone, but for off, idle and a mood, which are steady.
    assert len({tuple((level(step.colour) > 0, step.for_s, step.fade) for step in rhythm_of(what, moods.get(what))) for what in Show}) == len(Show) - 1


def test_each_hold_winks_as_often_as_it_has_counted():
    for winks, what in enumerate((Show.HOLD_PAUSE, Show.HOLD_PRIVACY, Show.HOLD_RESET), 1):
        rhythm = rhythm_of(what)
        assert sum(level(step.colour) > 0 for step in rhythm) == winks
        assert sum(step.for_s for step in rhythm) == pytest.approx(1.0)


def test_a_fade_passes_through_what_lies_between(light):
    light.show(Show.DEGRADED)
    seen = set()
    wait_for(lambda: seen.add(round(light.colour[0], 2)) or len(seen) > 5)


def test_a_rhythm_goes_on_and_off(light):
    light.show(Show.LOOKING)
    wait_for(lambda: light.colour[0] > 0.4)
    wait_for(lambda: light.colour[0] < 0.2)


def test_a_plain_light_shines_by_its_one_pin():
    factory = MockFactory(pin_class=MockPWMPin)
    light = PlainLight(factory, pin=18, brightness=0.5)
    light.show(Show.MOOD, Mood.SAD)
    assert factory.pin(18).state == pytest.approx(0.5, abs=0.01)
    light.show(Show.OFF)
    assert factory.pin(18).state == 0
    light.close()
    factory.close()


def test_without_a_light_the_button_works_and_its_pins_are_free():
    hand = Hand(led="none", led_red_pin=17)
    with hand.panel:
        hand.hold(3.0)
        assert hand.pressed == [Press.SCAN, Press.PAUSE]
        assert claimed(hand.panel.factory, 22, 27, 24) == []


def test_a_plain_light_claims_its_own_pin_alone():
    with Hand(led="plain", led_pin=23).panel as panel:
        assert claimed(panel.factory, 23, 22, 27, 24) == [23]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('led = "plain"\nled_pin = 17', "button and light need 2 different pins, not [17, 17]"),
        ("led_blue_pin = 22", "button and light need 4 different pins"),
        ('led = "RGB"', "rgb"),
    ],
)
def test_pins_that_are_used_twice_are_a_mistake_where_they_are_used(lines, said):
    with pytest.raises(ConfigError) as raised:
        parse(f"[panel]\n{lines}\n", source="moodify.toml")
    assert said in str(raised.value)
    assert parse('[panel]\nled = "plain"\nled_red_pin = 17\n', source="moodify.toml").panel.light_pins == {"led_pin": 22}


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
    assert claimed(factory, 22, 27, 24) == []


def test_a_panel_that_is_not_wanted_is_not_opened():
    panel = open_panel(PanelConfig(enabled=False), lambda _press: None)
    panel.light.show(Show.LOOKING)
    panel.close()
    assert not isinstance(panel, Panel)


def test_a_mock_pin_remembers_its_last_states_alone_however_long_a_light_breathes_on_it():
    with Panel(PanelConfig(), lambda _press: None, factory=pin_factory(real=False)) as panel, panel.light._changed:
        # The light's own thread, which has its first word yet, waits meanwhile.
        pins = [panel.factory.pin(number) for number in PanelConfig().light_pins.values()]
        for number in range(2 * STATES_AT_MOST):
            for pin in pins:
                pin.state = number % 90 / 100
        assert [len(pin.states) for pin in pins] == [STATES_AT_MOST] * len(pins)
        assert {pin.states[-1].state for pin in pins} == {pin.state for pin in pins}


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
