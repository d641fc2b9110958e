import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mood_room import Room, away, face, too_small

from moodify.config.model import MoodConfig
from moodify.mood.smoothing import Average
from moodify.mood.tracker import MoodTracker
from moodify.types import FELT_MOODS, Emotion, Mood

faces = st.one_of(
    st.builds(face, st.sampled_from(list(Emotion)), st.floats(0.2, 1.0), size=st.floats(10, 200)),
    st.builds(too_small),
    st.builds(away),
)
# Scenes of some seconds, each with its faces; a household in fast forward.
scenes = st.lists(st.tuples(st.floats(0.2, 12.0), st.lists(faces, max_size=3)), min_size=1, max_size=12)
configs = st.builds(
    lambda band, smoothing_s, steady_s, absent_s, people: MoodConfig(enter=max(band), hold=min(band), smoothing_s=smoothing_s, steady_s=steady_s, absent_s=absent_s, people=people),
    st.tuples(st.floats(0.3, 0.95), st.floats(0.3, 0.95)),
    st.floats(0, 8),
    st.floats(0, 8),
    st.floats(0.5, 20),
    st.sampled_from(["largest", "average"]),
)


def play(config, fps, story):
    room = Room(MoodTracker(config), fps=fps)
    for seconds, seen in story:
        room.show(seconds, *seen)
    return room


@settings(max_examples=150, deadline=None)
@given(configs, st.sampled_from([1, 5, 15]), scenes)
def test_moods_are_never_closer_than_steady_s_but_for_absence(config, fps, story):
    room = play(config, fps, story)
    for later, gap_s in zip(room.mood_changes[1:], room.mood_gaps(), strict=True):
        if later.reading.mood is not Mood.ABSENT:
            assert gap_s >= config.steady_s - 1e-6


@settings(max_examples=150, deadline=None)
@given(configs, st.sampled_from([1, 5, 15]), scenes)
def test_a_mood_is_entered_only_at_the_threshold_and_never_twice_in_a_row(config, fps, story):
    room = play(config, fps, story)
    for change in room.mood_changes:
        reading = change.reading
        assert 0.0 <= reading.confidence <= 1.0 + 1e-9
        assert -1.0 <= reading.valence <= 1.0
        assert reading.since_s <= change.t_s
        if reading.mood in FELT_MOODS:
            assert reading.confidence >= config.enter - 1e-9
            assert reading.people >= 1
    assert all(one != two for one, two in zip(room.moods, room.moods[1:], strict=False))
    assert all(one != two for one, two in zip(room.presence, room.presence[1:], strict=False))


@settings(max_examples=100, deadline=None)
@given(configs, st.sampled_from([1, 5, 15]), scenes, st.lists(faces, max_size=2))
def test_every_press_is_answered_once_and_in_time(config, fps, story, seen):
    room = play(config, fps, story)
    told = len(room.mood_changes)
    room.tracker.look_again()
    asked_s = room.t_s
    room.show(5, *seen)
    answers = [change for change in room.mood_changes[told:] if change.asked]
    assert len(answers) == 1
    assert answers[0].t_s - asked_s <= 3.0 + 1.0 / fps


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.1, 10), st.integers(1, 8))
def test_a_look_cut_into_shorter_looks_weighs_the_same(values, time_constant_s, parts):
    whole, cut = Average(), Average()
    for value in values:
        whole = whole.fold((value,), dt_s=0.5, time_constant_s=time_constant_s)
        for _ in range(parts):
            cut = cut.fold((value,), dt_s=0.5 / parts, time_constant_s=time_constant_s)
    assert cut.value == pytest.approx(whole.value)
    assert min(values) - 1e-9 <= whole.value[0] <= max(values) + 1e-9
