from datetime import UTC, datetime, timedelta

import pytest

from moodify.system.trust import BUILT, clock_synchronised, clock_trusted, kernel_synchronised

_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "last_seen", "synchronised", "trusted", "words"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), None, False, False, "this version was made"),
        (BUILT - _DAY, None, True, False, "timedatectl"),
        (BUILT + _DAY, None, True, True, "set from the network"),
        (BUILT + _DAY, None, False, True, "The network has not set it; if it is wrong"),
        (BUILT + _DAY, BUILT + 2 * _DAY, False, False, "this device last noted the time"),
        (BUILT + _DAY, BUILT - 9 * _DAY, False, True, "this version was made"),
        (BUILT + 3 * _DAY, BUILT + 2 * _DAY, False, True, "this device last noted the time"),
    ],
)
def test_a_clock_is_trusted_past_what_is_known_to_have_happened(now, last_seen, synchronised, trusted, words):
    believed, reason = clock_trusted(now, last_seen, synchronised=lambda: synchronised)
    assert believed is trusted
    assert words in reason


def test_the_network_is_believed_over_a_clock_that_ran_ahead():
    assert clock_trusted(BUILT + _DAY, BUILT + 400 * _DAY, synchronised=lambda: True)[0]


@pytest.mark.parametrize(("marked", "kernel", "said"), [(True, False, True), (False, True, True), (False, False, False)])
def test_either_the_mark_or_the_kernel_says_synchronised(tmp_path, marked, kernel, said):
    mark = tmp_path / "synchronized"
    if marked:
        mark.touch()
    assert clock_synchronised(mark, kernel=lambda: kernel) is said


def test_the_kernel_answers():
    assert isinstance(kernel_synchronised(), bool)
