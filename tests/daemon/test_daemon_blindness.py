"""A camera that sees only darkness, or only glare, says so, and is no broken camera."""

import threading

import pytest
from daemon_house import DaemonHouse

from moodify.daemon import signals as sig
from moodify.daemon.blindness import DARK_SAID, GLARE_SAID, LASTS_S, Blindness
from moodify.types import Observation


def seen(*brightnesses):
    """Return what is said at each of some frames, a second apart."""
    blindness = Blindness()
    return [blindness.see(Observation(float(number), (), moved=False, brightness=brightness)) for number, brightness in enumerate(brightnesses)]


@pytest.mark.parametrize(("brightness", "said"), [(0.0, DARK_SAID), (0.02, DARK_SAID), (0.05, None), (0.5, None), (0.95, None), (1.0, GLARE_SAID)])
def test_what_is_black_or_white_for_some_seconds_is_said(brightness, said):
    told = seen(*[brightness] * 7)
    assert told[int(LASTS_S) :] == [said, said]
    assert set(told[: int(LASTS_S)]) == {None}


def test_a_flash_is_nothing_and_a_lamp_ends_it():
    assert seen(*[0.0] * 4, 1.0, *[0.0] * 4) == [None] * 9
    assert seen(*[0.0] * 6, 0.5)[-2:] == [DARK_SAID, None]


def test_a_recording_that_starts_again_is_looked_at_anew():
    blindness = Blindness()
    for t_s in (0.0, 6.0):
        said = blindness.see(Observation(t_s, (), moved=False, brightness=0.0))
    assert said == DARK_SAID
    assert blindness.see(Observation(1.0, (), moved=False, brightness=0.0)) is None


def look(house, brightness, times):
    for _ in range(times):
        house.clock.advance_to(house.t_s + 1)
        handled = threading.Event()
        house.put(sig.Seen(Observation(house.t_s, (), moved=False, brightness=brightness), handled))
        assert handled.wait(20)


def test_the_page_says_it_beside_the_camera_which_is_well_and_takes_it_back(tmp_path):
    with DaemonHouse(tmp_path) as house:
        house.sees_well()
        look(house, 0.0, 7)
        assert house.board.now()["camera"] == {"state": "ok", "message": f"a camera: {DARK_SAID}"}
        look(house, 0.5, 1)
        # Another frame is handled only once what came of the last one is shown.
        look(house, 0.5, 1)
        assert house.board.now()["camera"] == {"state": "ok", "message": "a camera"}
        told = [event["data"]["message"] for event in house.events if event["kind"] == "camera"]
    assert told == ["a camera", f"a camera: {DARK_SAID}", "a camera"]
