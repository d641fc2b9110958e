import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from music_house import LONG_S, THEIRS, House, song
from test_music_properties import days, live, rules

from moodify.music.orders import Order
from moodify.music.situation import Ask
from moodify.types import Act, Decision, Mood, Track

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def restarted(house, *, off_s=10.0, step=timedelta(), **rules):
    """The same home with a new policy that recalls what was kept; its clock has begun anew."""
    kept = json.loads(json.dumps(house.policy.memory_as_json(house.now_s, NOW)))
    after = House(**rules)
    after.speaker, after.day_s = deepcopy(house.speaker), house.day_s + off_s
    after.now_s = 5.0
    after.policy.recall(kept, after.now_s, NOW + timedelta(seconds=off_s) + step)
    return after


def happy(**rules):
    house = House(**rules)
    house.speaker.play(THEIRS)
    return house.feel(Mood.HAPPY).run(LONG_S + 20)


@pytest.mark.parametrize("off_s", [10.0, 90_000.0])
def test_what_a_person_paused_stays_paused_over_a_restart_until_a_press(off_s):
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(130)
    house.ask(Ask.PAUSE)
    house = restarted(house, off_s=off_s, start_when_silent=True).feel(Mood.HAPPY).run(800)
    assert house.acts == []
    assert "Somebody paused the music" in house.reasons[-1]
    assert house.ask(Ask.LOOK).act is Act.RESUME


def test_a_recalled_pause_ends_when_the_room_was_empty_for_an_hour():
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(130)
    house.ask(Ask.PAUSE)
    house = restarted(house, start_when_silent=True).feel(Mood.ABSENT).run(3601, 10).feel(Mood.HAPPY).run(130)
    assert house.speaker.playing


def test_the_change_window_counts_over_a_restart():
    house = restarted(happy()).feel(Mood.SAD).run(130)
    assert "sad" not in " ".join(track.title for track in house.speaker.queue)
    assert "Sad, but the music changed lately and changes at most once in 10 min" in house.reasons


def test_a_persons_choice_stays_over_a_restart():
    house = happy(max_changes=9)
    house.speaker.play(song("chosen", 3000))
    house = restarted(house.run(5), max_changes=9).feel(Mood.HAPPY).run(130)
    assert house.acts == []
    assert "somebody has just chosen other music" in house.reasons[-1]


def test_a_skipped_song_stays_skipped_over_a_restart_for_its_day():
    house = House(songs=2, no_repeat=0).feel(Mood.HAPPY)
    refused = house.ask(Ask.LOOK).track
    house.ask(Ask.NEXT)
    instead = house.speaker.track
    house.speaker.playing = False
    for off_s, chosen in ((80_000.0, instead), (90_000.0, refused)):
        assert restarted(house, off_s=off_s, songs=2, no_repeat=0).feel(Mood.HAPPY).ask(Ask.LOOK).track == chosen


def test_no_song_comes_again_because_of_a_restart():
    house = happy(songs=12, no_repeat=12)
    ours = house.speaker.track
    for seed in range(8):
        after = restarted(house, songs=12, no_repeat=12, seed=seed).feel(Mood.HAPPY)
        assert after.ask(Ask.NEXT).track not in {ours, None}


def test_our_song_is_ours_after_a_restart_and_pauses_for_absence():
    house = restarted(happy(), absence_pause_s=60).feel(Mood.ABSENT).run(70)
    assert house.acts == ["pause"]


def test_music_that_somebody_chose_meanwhile_is_not_ours():
    house = happy()
    house.speaker.play(song("chosen", 3000))
    assert restarted(house, absence_pause_s=60).feel(Mood.ABSENT).run(70).acts == []


def test_the_song_that_is_queued_is_not_queued_again_after_a_restart():
    house = House()
    house.speaker.play(THEIRS)
    house = restarted(house.feel(Mood.HAPPY).run(130)).feel(Mood.HAPPY).run(40)
    assert house.acts == []
    assert len(house.speaker.queue) == 1


@pytest.mark.parametrize(("off_s", "acts"), [(600.0, ["resume"]), (4000.0, [])])
def test_a_pause_for_absence_goes_on_within_its_hour_over_a_restart(off_s, acts):
    house = happy(absence_pause_s=60).feel(Mood.ABSENT).run(70)
    assert house.acts[-1] == "pause"
    house = restarted(house, off_s=off_s)
    house.people = 1
    assert house.run(5).acts == acts


def test_moments_in_the_future_after_a_clock_step_are_forgotten_and_the_rest_is_not():
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(130)
    house.ask(Ask.PAUSE)
    after = restarted(house, step=timedelta(days=-40))
    kept = after.policy.memory_as_json(after.now_s, NOW)
    assert (kept["changes"], kept["hushed"], kept["heard"]) == ([], True, [house.speaker.track.uri])


@pytest.mark.parametrize("kept", [None, [], "odd", {}, {"hushed": "yes", "paused": 5, "changes": "x", "heard": [1, None], "not_this": [], "current": {"uri": []}, "after": {}}])
def test_odd_memory_is_forgotten(kept):
    house, fresh = House(), House()
    house.policy.recall(kept, house.now_s, NOW)
    assert house.policy.memory_as_json(house.now_s, NOW) == fresh.policy.memory_as_json(house.now_s, NOW)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(House().policy.memory_as_json(0.0, NOW), JSON)))
def test_whatever_was_kept_nothing_is_raised(kept):
    house = House(start_when_silent=True)
    house.policy.recall(kept, house.now_s, NOW)
    assert house.feel(Mood.HAPPY).ask(Ask.LOOK).reason
    json.dumps(house.policy.memory_as_json(house.now_s, NOW), allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(rules, days, st.floats(0, 1e6))
def test_what_is_kept_comes_back_the_same(rules, day, boot_s):
    house = live(rules, day)
    kept = house.policy.memory_as_json(house.now_s, NOW)
    after = House(**rules)
    after.policy.recall(json.loads(json.dumps(kept)), boot_s, NOW)
    assert after.policy.memory_as_json(boot_s, NOW) == kept


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05T11:59:00", "yesterday"])
def test_a_date_that_says_nothing_is_forgotten(date):
    house = House()
    house.policy.recall({"paused": date, "chosen": date, "changes": [date], "not_this": {"spotify:track:a": date}}, house.now_s, NOW)
    kept = house.policy.memory_as_json(house.now_s, NOW)
    assert (kept["paused"], kept["chosen"], kept["changes"], kept["not_this"]) == (None, None, [], {})


def test_what_is_kept_stays_below_16_kb():
    house = House(no_repeat=500, max_changes=100)
    for index in range(600):
        track = Track(f"spotify:track:{index:050d}", "\U0001f3b5" * 500, "\U0001f3b5" * 500, 86_400_000)
        act = Act.PLAY if index == 598 else Act.QUEUE
        house.policy._desk.memory.carried_out(Order(Decision(act, "why", Mood.HAPPY, track), change=True), house.now_s)
        house.policy._desk.memory.avoid(track.uri, house.now_s)
    assert 8_000 < len(json.dumps(house.policy.memory_as_json(house.now_s, NOW))) < 16_000


def test_the_version_counts_what_is_worth_keeping():
    house = House(start_when_silent=True)
    house.feel(Mood.HAPPY).run(5)
    before = house.policy.memory_version
    house.run(100)
    assert house.policy.memory_version == before
    house.run(30)
    playing = house.policy.memory_version
    assert playing > before
    house.ask(Ask.PAUSE)
    assert house.policy.memory_version > playing


def test_what_the_version_before_kept_is_read():
    sent = {"title": "Noon", "artist": "Somebody", "duration_ms": 200_000, "mood": "happy", "through_quiet": True}
    before = {
        "hushed": False,
        "paused": None,
        "chosen": None,
        "changes": ["2026-01-05T11:59:00+00:00"],
        "heard": ["spotify:track:noon"],
        "not_this": {"spotify:track:never": "2026-01-06T11:00:00+00:00"},
        "current": {"uri": "spotify:track:noon", **sent},
        "queued": {"uri": "spotify:track:one", **sent},
        "after": "spotify:track:noon",
    }
    house = House()
    house.policy.recall(before, house.now_s, NOW)
    kept = house.policy.memory_as_json(house.now_s, NOW)
    added = {"felt": "happy", "songs": 1, "sure": True, "teaches": True}
    assert kept == {**before, "current": before["current"] | added, "queued": before["queued"] | added, "cap": None}


@pytest.mark.parametrize(
    ("odd", "kept"),
    [({"felt": "unsure"}, ("felt", "happy")), ({"songs": 0}, ("songs", 1)), ({"songs": "2"}, ("songs", 1)), ({"sure": 0}, ("sure", True)), ({"songs": 3}, ("songs", 3))],
)
def test_odd_details_of_a_song_take_their_defaults(odd, kept):
    house = happy()
    memory = house.policy.memory_as_json(house.now_s, NOW)
    memory["current"] |= odd
    after = House()
    after.policy.recall(memory, after.now_s, NOW)
    assert after.policy.memory_as_json(after.now_s, NOW)["current"][kept[0]] == kept[1]


def test_a_lift_goes_on_where_it_was_over_a_restart():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house = restarted(house.run(LONG_S + 50), goal="lift", change_window_s=60).feel(Mood.SAD).run(LONG_S)
    assert house.heard == ["sad", "sad", "calm"]
