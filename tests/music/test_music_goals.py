from datetime import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from music_house import LONG_S, THEIRS, House, song

from moodify.config.model import QuietHours
from moodify.music.goals import BRIGHTER, first_mood, fits, next_mood, path
from moodify.music.situation import Ask
from moodify.types import FELT_MOODS, Act, Mood

GOALS = ("match", "lift", "calm")
STEPS = {
    Mood.SAD: [Mood.SAD, Mood.CALM, Mood.HAPPY],
    Mood.ANGRY: [Mood.ANGRY, Mood.TENSE, Mood.CALM, Mood.HAPPY],
    Mood.TENSE: [Mood.TENSE, Mood.CALM, Mood.HAPPY],
    Mood.CALM: [Mood.CALM, Mood.HAPPY],
    Mood.SURPRISED: [Mood.SURPRISED, Mood.HAPPY],
    Mood.HAPPY: [Mood.HAPPY],
}
felt_moods = st.sampled_from(FELT_MOODS)


def music_of(house):
    return [each for each in house.log if each[1].act in {Act.PLAY, Act.QUEUE}]


def moods_of(house):
    return [decision.mood for _, decision, _ in music_of(house)]


def lifted(goal, felt, songs):
    """The moods of so many songs in a row for one felt mood."""
    music, run = first_mood(goal, felt), 1
    heard = [music]
    while len(heard) < songs:
        following = next_mood(goal, felt, music, run)
        run = run + 1 if following is music else 1
        music = following
        heard.append(music)
    return heard


@pytest.mark.parametrize(("felt", "steps"), STEPS.items())
def test_a_lift_goes_step_by_step_with_two_songs_each(felt, steps):
    assert lifted("lift", felt, 2 * len(steps) + 3) == [mood for mood in steps for _ in range(2)] + [Mood.HAPPY] * 3
    assert path(felt) == tuple(steps)


@pytest.mark.parametrize("felt", FELT_MOODS)
def test_match_stays_with_the_mood_and_calm_is_calm_whatever_is_felt(felt):
    assert lifted("match", felt, 5) == [felt] * 5
    assert lifted("calm", felt, 5) == [Mood.CALM] * 5


@given(felt_moods, felt_moods, st.integers(1, 50))
def test_a_lift_never_jumps(felt, music, songs):
    after = next_mood("lift", felt, music, songs)
    assert after in {music, BRIGHTER[music], felt}
    if music in path(felt):
        assert after in {music, BRIGHTER[music]}


@given(st.sampled_from(GOALS), felt_moods)
def test_what_comes_first_fits_and_what_comes_next_still_does(goal, felt):
    music = first_mood(goal, felt)
    assert fits(goal, felt, music, felt)
    for _ in range(6):
        music = next_mood(goal, felt, music, 2)
        assert fits(goal, felt, music, felt)


@pytest.mark.parametrize(
    ("goal", "felt", "music", "played_for", "fit"),
    [
        ("match", Mood.SAD, Mood.SAD, Mood.SAD, True),
        ("match", Mood.SAD, Mood.CALM, Mood.SAD, False),
        ("calm", Mood.SAD, Mood.CALM, Mood.HAPPY, True),
        ("calm", Mood.CALM, Mood.HAPPY, Mood.CALM, False),
        ("lift", Mood.SAD, Mood.CALM, Mood.SAD, True),
        ("lift", Mood.SAD, Mood.CALM, Mood.ANGRY, False),
        ("lift", Mood.CALM, Mood.CALM, Mood.SAD, True),
        ("lift", Mood.HAPPY, Mood.SAD, Mood.SAD, False),
    ],
)
def test_music_fits_by_the_goal(goal, felt, music, played_for, fit):
    assert fits(goal, felt, music, played_for) is fit


def test_who_is_sad_and_wants_a_match_gets_sad_music_and_no_cheer():
    house = House(goal="match").feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(20 * LONG_S)
    assert set(house.heard) == {"sad"}


def test_a_lift_is_heard_song_by_song_and_said():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(6 * LONG_S)
    assert house.heard == ["sad", "sad", "calm", "calm", "happy", "happy", "happy"]
    steps = [decision.reason for _, decision, _ in house.log if "one step brighter" in decision.reason]
    assert [reason.rsplit(", ", 1)[1] for reason in steps] == ["calm music", "happy music"]
    assert steps[0].startswith("Sad for 6 min, one step brighter: playing 'calm")


def test_a_step_of_a_lift_counts_as_a_change_of_music():
    house = House(goal="lift", max_changes=1, change_window_s=1200).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(6 * LONG_S)
    assert house.heard[:6] == ["sad"] * 6


def test_a_lift_takes_no_step_while_nobody_can_tell_the_mood():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(10).feel(Mood.UNSURE).run(5 * LONG_S)
    assert set(house.heard) == {"sad"}


def test_a_lift_takes_no_step_in_quiet_hours():
    house = House(goal="lift", change_window_s=60, quiet_hours=QuietHours(start=time(22), end=time(7)), clock=time(23)).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(5 * LONG_S)
    assert set(house.heard) == {"sad"}


def test_a_song_that_was_skipped_is_no_song_of_the_lift():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(10)
    house.ask(Ask.NEXT)
    house.run(2 * LONG_S)
    assert house.heard == ["sad", "sad", "sad", "calm"]


def test_another_mood_begins_a_lift_anew():
    house = House(goal="lift", change_window_s=60, dwell_s=10).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(2 * LONG_S + 10).feel(Mood.ANGRY).run(2 * LONG_S)
    assert house.heard == ["sad", "sad", "calm", "angry", "angry"]


def test_a_step_without_songs_is_not_taken():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.pool.fill(Mood.CALM, (), 0.0)
    house.ask(Ask.LOOK)
    house.run(4 * LONG_S)
    assert set(house.heard) == {"sad"}


def test_a_press_while_a_lift_is_under_way_does_not_throw_it_back():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(2 * LONG_S + 10)
    assert house.heard[-1] == "calm"
    assert "the music fits already" in house.ask(Ask.LOOK).reason


@pytest.mark.parametrize("felt", FELT_MOODS)
def test_calm_hours_play_calm_music_and_say_so(felt):
    house = House(goals=({"start": time(20), "end": time(22), "goal": "calm"},), clock=time(20, 30)).feel(felt)
    decision = house.ask(Ask.LOOK)
    assert decision.mood is Mood.CALM
    assert decision.reason.startswith(f"You asked: {felt.value}, {'calm music at this hour, ' if felt is not Mood.CALM else ''}playing 'calm")
    house.run(10).feel(Mood.SURPRISED).run(2000)
    assert set(house.heard) == {"calm"}


def test_when_the_goal_changes_the_music_follows_at_a_tracks_end_within_the_rules():
    house = House(goals=({"start": time(20), "end": time(22), "goal": "calm"},), clock=time(19, 30), dwell_s=10).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(1750)
    assert set(house.heard) == {"happy"}
    assert house.wake_s is not None
    assert house.wake_s <= house.now_s + 50
    house.run(LONG_S + 60)
    assert house.heard[-1] == "calm"
    change = next(decision for _, decision, _ in house.log if decision.mood is Mood.CALM)
    assert change.reason.startswith("Happy for 30 min: calm music at this hour, playing 'calm")


def test_the_music_of_a_goal_is_not_a_change_of_mood_by_another_mood():
    house = House(goal="calm", dwell_s=10).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(30).feel(Mood.ANGRY).run(60)
    assert house.acts == ["play"]
    assert house.reasons[-1] == "Angry, and the music fits"


@pytest.mark.parametrize(
    ("goal", "felt", "wanted"),
    [
        ("match", Mood.SAD, (Mood.SAD,)),
        ("calm", Mood.SAD, (Mood.CALM,)),
        ("lift", Mood.SAD, (Mood.SAD,)),
        ("match", Mood.UNSURE, ()),
        ("lift", Mood.ABSENT, ()),
    ],
)
def test_songs_are_wanted_for_what_a_press_would_play(goal, felt, wanted):
    house = House(goal=goal).feel(felt)
    assert house.policy.wants(house.situation()) == wanted


def test_before_the_first_mood_no_songs_are_wanted():
    house = House()
    assert house.policy.wants(house.situation()) == ()


def test_songs_of_the_next_step_are_wanted_before_it_is_taken():
    house = House(goal="lift", change_window_s=60).feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(LONG_S + 10)
    assert house.policy.wants(house.situation()) == (Mood.SAD, Mood.CALM)
    house.run(LONG_S + 10)
    assert house.policy.wants(house.situation()) == (Mood.SAD, Mood.CALM)
    house.run(LONG_S)
    assert house.policy.wants(house.situation()) == (Mood.SAD, Mood.HAPPY, Mood.CALM)


def test_songs_of_what_goes_on_are_wanted_while_the_mood_is_unsure():
    house = House().feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(10).feel(Mood.UNSURE).run(5)
    assert house.policy.wants(house.situation()) == (Mood.HAPPY,)
    house.speaker.play(song("chosen"))
    house.run(5)
    assert house.policy.wants(house.situation()) == ()


@settings(max_examples=60, deadline=None)
@example("lift", [(Mood.HAPPY, 3), (Mood.SURPRISED, 7)], True)
@given(st.sampled_from(GOALS), st.lists(st.tuples(felt_moods, st.integers(1, 8)), min_size=1, max_size=6), st.booleans())
def test_in_any_day_a_lift_never_jumps_and_each_step_has_two_songs(goal, day, pressed):
    house = House(goal=goal, change_window_s=60, dwell_s=30)
    house.speaker.play(THEIRS)
    for felt, minutes in day:
        house.feel(felt)
        if pressed:
            house.ask(Ask.LOOK)
        house.run(60 * minutes, 5.0)
    moods, acts = moods_of(house), [decision.act for _, decision, _ in music_of(house)]
    steps = [index for index, (_, decision, _) in enumerate(music_of(house)) if "one step brighter" in decision.reason]
    for index in steps:
        assert goal == "lift"
        assert moods[index] is BRIGHTER[moods[index - 1]]
        # What was queued before a press is heard after the song that the press brought.
        assert moods[index - 2] is moods[index - 1] or acts[index - 2 : index] == [Act.QUEUE, Act.PLAY]
    if goal == "calm":
        assert set(moods) <= {Mood.CALM}
