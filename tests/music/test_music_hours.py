from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodify.config.model import GoalHours, MusicConfig, QuietHours, VolumeHours
from moodify.music.hours import clock, goal, hush, is_within, last_edge, next_edge_s, seconds_until, volume_cap

EVENING = (GoalHours(start=time(18), end=time(20), goal="lift"), GoalHours(start=time(17), end=time(23), goal="calm"))
CAPS = (VolumeHours(start=time(21), end=time(8), volume_cap=35), VolumeHours(start=time(13), end=time(15), volume_cap=50))
MUSIC = MusicConfig(goals=EVENING, volume_caps=CAPS, volume_cap=80)


@pytest.mark.parametrize(
    ("start", "end", "at", "quiet"),
    [
        (time(22), time(7), time(22), True),
        (time(22), time(7), time(23, 59, 59), True),
        (time(22), time(7), time(0), True),
        (time(22), time(7), time(6, 59, 59), True),
        (time(22), time(7), time(7), False),
        (time(22), time(7), time(21, 59, 59), False),
        (time(13), time(15), time(14), True),
        (time(13), time(15), time(15), False),
        (time(13), time(15), time(12), False),
    ],
)
def test_quiet_hours_begin_at_their_start_and_end_before_their_end(start, end, at, quiet):
    hours = QuietHours(start=start, end=end)
    assert is_within(at, hours) is quiet
    assert (hush(at, hours) is not None) is quiet


@pytest.mark.parametrize(("at", "then", "seconds"), [(time(23), time(7), 8 * 3600), (time(6, 59, 30), time(7), 30), (time(7), time(7), 86_400)])
def test_the_end_of_the_quiet_hours_is_foreseen(at, then, seconds):
    assert seconds_until(at, then) == seconds


@pytest.mark.parametrize(("at", "wanted"), [(time(16, 59), "match"), (time(17), "calm"), (time(18), "lift"), (time(19, 59, 59), "lift"), (time(20), "calm"), (time(23), "match")])
def test_the_first_goal_that_fits_the_hour_counts(at, wanted):
    assert goal(at, MUSIC) == wanted


@pytest.mark.parametrize(("at", "cap"), [(time(12), 80), (time(13), 50), (time(15), 80), (time(21), 35), (time(0), 35), (time(7, 59), 35), (time(8), 80)])
def test_the_cap_goes_by_the_hour_across_midnight_too(at, cap):
    assert volume_cap(at, MUSIC) == cap


@pytest.mark.parametrize(("at", "edge"), [(time(21), time(21)), (time(3), time(21)), (time(8), time(8)), (time(12), time(8)), (time(14), time(13)), (time(20), time(15))])
def test_the_hour_that_has_begun_last_is_known(at, edge):
    assert last_edge(at, CAPS) == edge


@pytest.mark.parametrize(("at", "seconds"), [(time(16), 3600), (time(17), 3600), (time(23), 9 * 3600), (time(12, 59, 30), 30)])
def test_the_next_hour_at_which_something_changes_is_foreseen(at, seconds):
    assert next_edge_s(at, MUSIC) == seconds


def test_without_hours_nothing_is_to_come():
    assert next_edge_s(time(12), MusicConfig()) is None


@pytest.mark.parametrize(
    ("at", "ahead_s", "said"),
    [
        (time(13, 30), 35 * 60, "14:05"),
        (time(13, 30, 1), 0, "13:31"),
        (time(15), 14 * 3600, "05:00"),
        (time(23, 59, 30), 40, "00:01"),
        (time(15), 25 * 3600, "16:00 tomorrow"),
        (time(15), 50 * 3600, "17:00 in 2 days"),
    ],
)
def test_a_moment_to_come_is_said_as_the_clock_will_show_it(at, ahead_s, said):
    assert clock(at, ahead_s) == said


@given(st.times(), st.floats(0, 1e6))
def test_a_moment_is_never_said_too_early(at, ahead_s):
    shown = clock(at, ahead_s).split()[0]
    due = (at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6 + ahead_s) % 86_400
    said = int(shown[:2]) * 3600 + int(shown[3:]) * 60
    assert -1e-3 <= (said - due + 43_200) % 86_400 - 43_200 <= 60
