"""One device that says what no device should spoils neither what is shown nor what is told of the others."""

from datetime import UTC, datetime, timedelta

import pytest

from moodify.hub.alerts.rules import USUAL, Look, RuleKind, judge
from moodify.hub.database.looking import Told
from moodify.hub.looking_back import felt_between, heard_between

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEGINS, ENDS = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
MOOD = {"mood": "calm", "people": 1, "confidence": 0.5, "valence": 0.1, "arousal": 0.1}
ORDER = {"act": "play", "status": "done", "track": {"title": "a", "artist": "b", "duration_ms": 86_400_000}}


@pytest.mark.parametrize("odd", [{"mood": []}, {"mood": {}}, {"confidence": 10**400}, {"arousal": "1"}, {"people": 10**400}, {"people": None}])
def test_an_odd_mood_is_passed_over(odd):
    felt, _ = felt_between([Told(NOW, "mood", MOOD | odd), Told(NOW + timedelta(minutes=5), "mood", MOOD)], BEGINS, ENDS)
    assert [span.begins for span in felt] == [NOW + timedelta(minutes=5)]


@pytest.mark.parametrize("at", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_what_was_at_no_time_of_a_household_is_passed_over(at):
    told = sorted([Told(NOW, "order", ORDER), Told(at, "order", ORDER), Told(at, "mood", MOOD)])
    assert [song.begins for song in heard_between(told, BEGINS, ENDS)] == [NOW]
    assert felt_between(told, BEGINS, ENDS)[0] == ()


@pytest.mark.parametrize("state", [{"camera": {"state": []}}, {"camera": {"state": {}}}, {"camera": 5}])
def test_an_odd_state_is_judged(state):
    for rule in USUAL.values():
        finding = judge(
            rule, Look("attic", online=True, last_seen=None, states={"state": state, "health": {"disk_free_mb": 10**400, "spotify": {"ends": "9999-12-31"}}}), NOW, alerted=False
        )
        assert not finding.wrong
    broken = judge(USUAL[RuleKind.DEGRADED], Look("attic", online=True, last_seen=None, states={"state": {"camera": {"state": "broken", "message": "x"}}}), NOW, alerted=False)
    assert broken.wrong
