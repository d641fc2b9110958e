from datetime import timedelta

import pytest
from people import NOON

from moodify.accounts.lockout import Tries, delay_s, wait


def after(failures, seconds):
    return wait(Tries(failures, NOON), NOON + timedelta(seconds=seconds)).total_seconds()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 0), (2, 0), (3, 2), (4, 4), (5, 8), (11, 512), (12, 900), (13, 900), (100_000, 900)])
def test_the_delay_grows_to_a_quarter_of_an_hour(failures, seconds):
    assert delay_s(failures) == seconds


def test_nobody_who_never_failed_waits():
    assert wait(Tries(), NOON) == timedelta()


def test_the_wait_runs_out():
    assert [after(5, seconds) for seconds in (0, 3, 7.5, 8, 1000)] == [8, 5, 0.5, 0, 0]


def test_a_clock_set_back_lets_one_try_through():
    assert after(12, -1) == 0
    assert after(12, -86_400 * 365) == 0


def test_a_day_of_guessing_gets_under_120_tries():
    tries, now = 0, 0.0
    while now < 86_400:
        tries += 1
        now += delay_s(tries)
    assert tries < 120
