from datetime import time

import pytest
from music_house import song

from moodify.config.model import QuietHours
from moodify.music.hours import hush, seconds_until
from moodify.music.hours import is_within as is_quiet
from moodify.music.words import name, span
from moodify.types import Track


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (40.4, "40 s"), (119, "119 s"), (120, "2 min"), (600, "10 min"), (7199.9, "2 h"), (5400, "90 min"), (9000, "2.5 h")])
def test_durations_are_said_the_way_people_do(seconds, said):
    assert span(seconds) == said


@pytest.mark.parametrize(("track", "said"), [(song("Noon"), "'Noon' by Somebody"), (Track("spotify:playlist:x", "your playlist", "", 0), "your playlist"), (None, "what plays")])
def test_songs_are_said_with_their_artist(track, said):
    assert name(track) == said


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
    assert is_quiet(at, hours) is quiet
    assert (hush(at, hours) is not None) is quiet


@pytest.mark.parametrize(("at", "then", "seconds"), [(time(23), time(7), 8 * 3600), (time(6, 59, 30), time(7), 30), (time(7), time(7), 86_400)])
def test_the_end_of_the_quiet_hours_is_foreseen(at, then, seconds):
    assert seconds_until(at, then) == seconds


def test_without_quiet_hours_it_is_never_quiet():
    assert hush(time(3), None) is None
