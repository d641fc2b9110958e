import pytest
from mood_room import Room, away, face, happy, sad, too_small

from moodify.config.model import MoodConfig
from moodify.mood.tracker import MoodTracker
from moodify.types import FELT_MOODS, MOOD_OF, Emotion, Mood


@pytest.fixture
def room():
    return Room(MoodTracker(MoodConfig()))


@pytest.mark.parametrize("emotion", list(Emotion))
def test_each_emotion_becomes_its_mood(room, emotion):
    room.show(10, face(emotion))
    assert room.moods == [MOOD_OF[emotion].value]


def test_a_mood_is_believed_after_it_held_for_steady_s(room):
    room.show(10, happy())
    (change,) = room.mood_changes
    assert change.t_s == pytest.approx(room.start_s + 3.4, abs=0.5)
    assert change.reading.since_s == pytest.approx(change.t_s - 3.0, abs=0.25)
    assert change.reading.confidence == pytest.approx(0.9)
    assert (change.reading.valence, change.reading.arousal) == pytest.approx((0.8, 0.5))
    assert change.reading.people == 1
    assert not change.asked


def test_a_flash_of_another_expression_changes_nothing(room):
    room.show(10, happy()).show(1.5, sad()).show(10, happy())
    assert room.moods == ["happy"]


def test_another_expression_that_stays_changes_the_mood_without_unsure_between(room):
    room.show(10, happy()).show(15, sad())
    assert room.moods == ["happy", "sad"]
    assert room.mood_changes[1].reading.valence < -0.2


@pytest.mark.parametrize("fps", [1, 5, 15])
def test_every_rate_tells_the_same_story(fps):
    room = Room(MoodTracker(MoodConfig()), fps=fps)
    room.show(20, happy()).show(20, sad()).show(20)
    assert room.moods == ["happy", "sad", "absent"]
    assert room.presence == [1, 0]
    assert [change.t_s - room.start_s for change in room.mood_changes] == pytest.approx([3.5, 27.0, 45.0], abs=1.6)


def test_noise_around_the_threshold_does_not_flip_a_mood(room):
    room.show(10, happy(0.95)).show_each(60, lambda index: (happy(0.72) if index % 2 else happy(0.78),))
    assert room.moods == ["happy"]


def test_inside_the_band_a_mood_is_held_but_not_entered():
    band = MoodConfig(enter=0.85, hold=0.7)
    assert Room(MoodTracker(band)).show(30, happy(0.8)).moods == ["unsure"]
    assert Room(MoodTracker(band)).show(10, happy(0.95)).show(30, happy(0.8)).moods == ["happy"]


def test_faces_below_the_confidence_threshold_end_in_unsure(room):
    room.show(10, happy()).show(30, happy(0.65))
    assert room.moods == ["happy", "unsure"]


def test_a_flood_of_unconfident_faces_is_never_a_mood(room):
    room.show(60, happy(0.69))
    assert room.moods == ["unsure"]


def test_a_few_unconfident_looks_do_not_end_a_mood(room):
    room.show(10, happy()).show_each(30, lambda index: (happy(0.5 if index % 4 == 0 else 0.9),))
    assert room.moods == ["happy"]


def test_a_brief_glance_away_does_not_end_a_mood(room):
    room.show(10, happy()).show(4, away()).show(10, happy()).show(3).show(10, happy())
    assert room.moods == ["happy"]
    assert room.presence == [1]


def test_somebody_who_stays_turned_away_is_there_and_unsure(room):
    room.show(10, happy()).show(20, away())
    assert room.moods == ["happy", "unsure"]
    assert room.presence == [1]


def test_what_was_seen_before_a_long_turn_away_does_not_speak_afterwards(room):
    room.show(10, happy()).show(20, away()).show(1.0, sad())
    assert room.tracker.current.candidate is Mood.SAD


def test_a_face_too_small_to_judge_is_present_but_unsure(room):
    room.show(20, too_small())
    assert room.presence == [1]
    assert room.moods == ["unsure"]
    assert room.mood_changes[0].reading.people == 1


def test_whoever_leaves_is_absent_once_and_after_absent_s(room):
    room.show(10, happy())
    left_s = room.t_s - 1 / room.fps
    room.show(60)
    assert room.moods == ["happy", "absent"]
    assert room.presence == [1, 0]
    assert room.mood_changes[1].t_s == pytest.approx(left_s + 5.0, abs=0.25)
    assert room.mood_changes[1].reading.since_s == pytest.approx(left_s)
    assert room.mood_changes[1].reading.confidence == 0


def test_an_empty_room_is_told_once(room):
    room.show(30)
    assert room.presence == [0]
    assert room.moods == ["absent"]


def test_after_absence_the_smoothing_starts_afresh(room):
    room.show(10, happy()).show(10).show(10, sad())
    assert room.moods == ["happy", "absent", "sad"]
    assert room.mood_changes[2].t_s == pytest.approx(room.start_s + 23.4, abs=0.5)


def test_missed_faces_do_not_flicker_the_count(room):
    room.show(2, happy(), happy())
    room.show_each(30, lambda index: (happy(),) * (index % 3))
    assert room.presence == [2]


def test_one_false_alarm_is_nobody(room):
    room.show(10).show(0.2, happy()).show(10)
    assert room.presence == [0]
    assert room.moods == ["absent"]


def test_people_who_come_and_go_are_counted(room):
    room.show(5, happy()).show(5, happy(), happy()).show(5, happy()).show(10)
    assert room.presence == [1, 2, 1, 0]


def test_two_who_disagree_are_unsure_on_average(room):
    room.show(20, happy(), sad())
    assert room.moods == ["unsure"]
    assert room.mood_changes[0].reading.people == 2


def test_the_average_is_by_area(room):
    room.show(20, happy(0.95, size=90), sad(size=30))
    assert room.moods == ["happy"]


def test_the_largest_face_alone_speaks_where_it_is_set_so():
    room = Room(MoodTracker(MoodConfig(people="largest")))
    room.show(20, happy(size=50), sad(size=60))
    assert room.moods == ["sad"]


def test_a_face_that_is_only_counted_does_not_hush_the_other(room):
    room.show(20, happy(size=30), away())
    assert room.moods == ["happy"]


def test_the_first_look_after_a_gap_does_not_decide_alone():
    room = Room(MoodTracker(MoodConfig(absent_s=60)))
    room.show(20, happy()).wait(50).show(0.2, sad())
    probabilities = room.tracker.current.probabilities
    assert probabilities[Mood.HAPPY] > 0.4
    room.show(10, happy())
    assert room.moods == ["happy"]


def test_a_gap_is_not_absence_until_nobody_is_seen_for_a_while(room):
    room.show(10, happy()).wait(3600).show(1)
    assert room.presence == [1]
    room.show(6)
    assert room.presence == [1, 0]


def test_a_long_gap_makes_the_old_looks_silent(room):
    room.show(10, happy()).wait(3600).show(0.2, sad())
    assert room.tracker.current.probabilities[Mood.SAD] == pytest.approx(0.9)


def test_a_look_from_the_past_is_ignored(room):
    room.show(10, happy())
    before = room.tracker.current
    room.wait(-5)
    assert room.look(sad()) == ()
    assert room.tracker.current == before


def test_two_looks_at_the_same_time_count_once(room):
    room.show(10, happy())
    before = room.tracker.current.probabilities
    room.wait(-1 / room.fps)
    room.look(sad())
    assert room.tracker.current.probabilities == before


def test_a_press_is_answered_within_about_a_second(room):
    room.fps = 15
    room.show(10, happy())
    room.tracker.look_again()
    asked_s = room.t_s
    room.show(4, sad())
    answer = room.mood_changes[1]
    assert answer.reading.mood is Mood.SAD
    assert answer.asked
    assert answer.t_s - asked_s < 1.2
    assert len(room.mood_changes) == 2


def test_a_press_is_answered_even_if_the_mood_is_the_same(room):
    room.show(10, happy())
    room.tracker.look_again()
    room.show(10, happy())
    assert [(change.reading.mood, change.asked) for change in room.mood_changes] == [(Mood.HAPPY, False), (Mood.HAPPY, True)]
    assert room.mood_changes[1].reading.since_s == room.mood_changes[0].reading.since_s


@pytest.mark.parametrize(("faces", "mood"), [((happy(0.5),), Mood.UNSURE), ((too_small(),), Mood.UNSURE), ((), Mood.UNSURE)])
def test_a_press_that_finds_nothing_says_so_within_three_seconds(room, faces, mood):
    room.show(10, happy())
    room.tracker.look_again()
    asked_s = room.t_s
    room.show(4, *faces)
    answer = room.mood_changes[1]
    assert (answer.reading.mood, answer.asked) == (mood, True)
    assert answer.t_s - asked_s == pytest.approx(3.0, abs=0.3)


def test_a_press_in_an_empty_room_is_answered_with_absent(room):
    room.show(10)
    room.tracker.look_again()
    room.show(10)
    assert [(change.reading.mood, change.asked) for change in room.mood_changes] == [(Mood.ABSENT, False), (Mood.ABSENT, True)]


def test_whoever_walks_up_and_presses_is_seen(room):
    room.show(10)
    room.tracker.look_again()
    room.show(3, happy())
    assert room.moods == ["absent", "happy"]
    assert room.presence == [0, 1]


def test_two_presses_in_a_burst_are_one_question(room):
    room.show(10, happy())
    room.tracker.look_again()
    room.show(0.4, sad())
    room.tracker.look_again()
    room.show(10, sad())
    assert [change.asked for change in room.mood_changes] == [False, True]


def test_the_live_view_shows_what_may_come(room):
    room.show(10, happy()).show(6, sad())
    view = room.tracker.current
    assert view.reading is not None
    assert view.reading.mood is Mood.HAPPY
    assert view.candidate is Mood.SAD
    assert 1.0 < view.candidate_s < 3.0
    assert sum(view.probabilities.values()) == pytest.approx(1.0)
    assert set(view.probabilities) == {*FELT_MOODS, Mood.UNSURE}


def test_before_the_first_look_nothing_is_claimed(room):
    view = room.tracker.current
    assert (view.reading, view.people, dict(view.probabilities), view.candidate) == (None, 0, {}, None)


def test_without_smoothing_and_waiting_each_look_speaks():
    room = Room(MoodTracker(MoodConfig(smoothing_s=0, steady_s=0)))
    room.show(1, happy()).show(1, sad())
    assert room.moods == ["happy", "sad"]


def test_the_count_rises_to_what_every_look_showed(room):
    room.show_each(5, lambda index: (happy(),) * (1 if index % 2 else 2))
    assert room.presence == [1]


def test_the_count_falls_to_the_most_that_was_seen_since(room):
    room.show(3, happy(), happy(), happy()).show_each(6, lambda index: (happy(),) * (2 if index % 2 else 1))
    assert room.presence == [3, 2]


def test_a_single_look_is_nobodys_mood_yet():
    room = Room(MoodTracker(MoodConfig(smoothing_s=0, steady_s=0)))
    room.look(happy())
    assert (room.presence, room.moods) == ([], [])
