import pytest

from moodify.panel.gestures import Gestures
from moodify.panel.port import Press


def play(*edges):
    gestures = Gestures()
    return [gestures.pressed(t_s) if down else gestures.let_go(t_s) for down, t_s in edges]


DOWN, UP = True, False


def test_a_press_asks_for_a_scan_at_once():
    assert play((DOWN, 1.0), (UP, 1.1)) == [Press.SCAN, None]


def test_a_second_press_within_400_ms_asks_for_the_next_song():
    assert play((DOWN, 1.0), (UP, 1.1), (DOWN, 1.39), (UP, 1.5)) == [Press.SCAN, None, Press.NEXT, None]


def test_a_second_press_after_400_ms_is_a_scan_again():
    assert play((DOWN, 1.0), (UP, 1.1), (DOWN, 1.41)) == [Press.SCAN, None, Press.SCAN]


@pytest.mark.parametrize(
    ("held_s", "means"), [(0.5, None), (1.9, None), (2.0, Press.PAUSE), (5.9, Press.PAUSE), (6.0, Press.PRIVACY), (14.9, Press.PRIVACY), (15.0, None), (60.0, None)]
)
def test_a_hold_acts_when_it_is_let_go(held_s, means):
    assert play((DOWN, 0.0), (UP, held_s)) == [Press.SCAN, means]


def test_bouncing_contacts_are_one_press():
    assert play((DOWN, 0.0), (UP, 0.002), (DOWN, 0.004), (UP, 0.1), (DOWN, 0.103), (UP, 0.106)) == [Press.SCAN, None, None, None, None, None]


def test_a_lost_edge_up_does_not_lose_the_next_press():
    assert play((DOWN, 0.0), (DOWN, 5.0), (UP, 5.1)) == [Press.SCAN, Press.SCAN, None]


def test_letting_go_without_a_press_means_nothing():
    assert play((UP, 5.0)) == [None]
