"""The two exceptions to "never start a silent speaker unasked" are named where the owner sets it."""

from moodify.config.model import MusicConfig
from moodify.music.unasked import BROKEN_OFF_S, RESUME_WITHIN_S


def test_the_exceptions_are_told_with_their_times_where_the_rule_is_set():
    told = MusicConfig.model_fields["start_when_silent"].description
    times = {3600.0: "within an hour", 300.0: "within five minutes"}
    assert f"nobody was there goes on when somebody is back {times[RESUME_WITHIN_S]}" in told
    assert f"did not take the next song goes on {times[BROKEN_OFF_S]}" in told
