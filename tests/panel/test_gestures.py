import pytest

from moodify.panel.gestures import Gestures
from moodify.panel.port import Press, Show

DOWN, UP = True, False


def play(*edges, look_every_s=0.04):
    """Play edges as (down, seconds), with looks in between as the button takes them; return what was meant, with None for nothing."""
    gestures, meant, down, looked_s = Gestures(), [], False, None
    for is_down, t_s in [*edges, (None, edges[-1][1] + 1.0)]:
        while looked_s is not None and looked_s + look_every_s < t_s:
            looked_s += look_every_s
            meant += gestures.look(looked_s, down=down)
        if is_down is None:
            break
        looked_s, down = t_s, is_down
        meant += gestures.pressed(t_s) if is_down else gestures.let_go(t_s) or ()
    return meant


def test_a_press_asks_for_a_scan_at_once():
    assert Gestures().pressed(1.0) == (Press.SCAN,)
    assert play((DOWN, 1.0), (UP, 1.1)) == [Press.SCAN, Press.LET_GO]


def test_a_second_press_within_400_ms_asks_for_the_next_song():
    assert play((DOWN, 1.0), (UP, 1.1), (DOWN, 1.39), (UP, 1.5)) == [Press.SCAN, Press.LET_GO, Press.NEXT, Press.LET_GO]


def test_a_second_press_after_400_ms_is_a_scan_again():
    assert play((DOWN, 1.0), (UP, 1.1), (DOWN, 1.41), (UP, 1.5)) == [Press.SCAN, Press.LET_GO, Press.SCAN, Press.LET_GO]


@pytest.mark.parametrize(
    ("held_s", "means"),
    [
        (0.5, Press.LET_GO),
        (1.9, Press.LET_GO),
        (2.0, Press.PAUSE),
        (5.9, Press.PAUSE),
        (6.0, Press.PRIVACY),
        (14.9, Press.PRIVACY),
        (15.0, Press.RESET),
        (59.0, Press.RESET),
        (60.0, Press.STUCK),
        (600.0, Press.STUCK),
    ],
)
def test_a_hold_acts_when_it_is_let_go(held_s, means):
    assert play((DOWN, 0.0), (UP, held_s)) == [Press.SCAN, means]


def test_nothing_but_the_scan_happens_while_it_is_held():
    gestures = Gestures()
    gestures.pressed(0.0)
    assert [gestures.look(t_s, down=True) for t_s in range(1, 60)] == [()] * 59


def test_a_stuck_button_is_said_once_and_its_coming_up_means_nothing():
    gestures = Gestures()
    gestures.pressed(0.0)
    assert [gestures.look(t_s, down=True) for t_s in (59.9, 60.0, 61.0, 3600.0)] == [(), (Press.STUCK,), (), ()]
    assert [gestures.look(t_s, down=False) for t_s in (3601.0, 3601.1)] == [(), ()]
    assert not gestures.down
    assert gestures.pressed(3700.0) == (Press.SCAN,)


def test_a_stuck_button_whose_edge_up_was_lost_is_a_button_again_at_the_next_press():
    gestures = Gestures()
    gestures.pressed(0.0)
    gestures.look(60.0, down=True)
    assert gestures.pressed(90.0) == (Press.SCAN,)
    gestures.let_go(96.5)
    assert gestures.look(96.6, down=False) == (Press.PRIVACY,)


def test_the_hold_of_a_second_press_means_what_any_hold_means():
    assert play((DOWN, 0.0), (UP, 0.1), (DOWN, 0.3), (UP, 16.4)) == [Press.SCAN, Press.LET_GO, Press.NEXT, Press.RESET]


@pytest.mark.parametrize(
    ("held_s", "counted"),
    [(0.0, Show.LOOKING), (1.9, Show.LOOKING), (2.0, Show.HOLD_PAUSE), (6.0, Show.HOLD_PRIVACY), (15.0, Show.HOLD_RESET), (59.9, Show.HOLD_RESET), (60.0, None)],
)
def test_the_light_counts_what_letting_go_would_do(held_s, counted):
    gestures = Gestures()
    assert gestures.stage(0.0) is None
    gestures.pressed(10.0)
    assert gestures.stage(10.0 + held_s) is counted


def test_bouncing_contacts_are_one_press():
    assert play((DOWN, 0.0), (UP, 0.002), (DOWN, 0.004), (UP, 0.1), (DOWN, 0.103), (UP, 0.106)) == [Press.SCAN, Press.LET_GO]


def test_a_contact_that_trembles_does_not_end_a_hold():
    assert play((DOWN, 0.0), (UP, 1.0), (DOWN, 1.005), (UP, 2.0), (DOWN, 2.01), (UP, 7.0)) == [Press.SCAN, Press.PRIVACY]


def test_a_lost_edge_up_is_found_by_a_look():
    gestures = Gestures()
    gestures.pressed(0.0)
    assert [gestures.look(t_s, down=t_s < 3) for t_s in (1.0, 2.9, 3.0, 3.04)] == [(), (), (), (Press.PAUSE,)]


def test_a_lost_edge_down_is_found_by_a_look():
    gestures = Gestures()
    assert gestures.look(5.0, down=True) == (Press.SCAN,)
    assert gestures.down


def test_an_edge_down_whose_edge_up_was_lost_is_a_press_of_its_own():
    gestures = Gestures()
    assert [gestures.pressed(0.0), gestures.pressed(5.0)] == [(Press.SCAN,), (Press.LET_GO, Press.SCAN)]


def test_a_hold_that_ends_and_begins_between_two_looks_means_both():
    assert play((DOWN, 0.0), (UP, 3.0), (DOWN, 3.1), (UP, 3.2), look_every_s=60) == [Press.SCAN, Press.PAUSE, Press.SCAN]


def test_letting_go_without_a_press_means_nothing():
    assert play((UP, 5.0)) == []
