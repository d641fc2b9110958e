"""What is asked for by somebody who is not in the room: a mood, a goal, a volume."""

from datetime import time

import pytest
from music_house import LONG_S, THEIRS, House

from moodify.config.model import GoalHours, QuietHours, VolumeHours
from moodify.errors import SpeakerUnavailable
from moodify.music.situation import Ask, Situation
from moodify.types import Act, Mood, OrderStatus, Playback, Speaker

NIGHT = QuietHours(start=time(22), end=time(7))


def playing(**rules):
    house = House(**rules)
    house.speaker.play(THEIRS)
    return house


def situation(house, playback=None):
    return Situation(house.now_s, house.local, house.reading, house.people, house.speaker.look() if playback is None else playback, house.now_s)


def volume(house, percent, playback=None):
    return house.policy.volume(situation(house, playback), percent).decision


def loud(percent=80, *, plays=True, settable=True):
    return Playback(playing=plays, track=THEIRS, speaker=Speaker("k", "Kitchen", active=True, supports_volume=settable, volume_percent=percent))


def test_a_mood_that_is_named_changes_what_plays_at_once():
    decision = playing().feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR)
    assert decision.act is Act.PLAY
    assert decision.reason.startswith("Asked from afar: happy, playing 'happy")


def test_a_mood_that_is_named_starts_no_silent_speaker():
    decision = House().feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR)
    assert (decision.act, "not started unasked" in decision.reason) == (Act.KEEP, True)
    assert House(start_when_silent=True).feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR).act is Act.PLAY


def test_what_somebody_in_the_room_has_paused_stays_silent():
    house = playing(start_when_silent=True).feel(Mood.SAD)
    house.run(5).ask(Ask.PAUSE)
    house.run(5)
    assert "Somebody paused the music" in house.feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR).reason


def test_in_quiet_hours_it_changes_what_plays_as_a_press_does_and_starts_nothing():
    plays = playing(quiet_hours=NIGHT, clock=time(23)).feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR)
    assert (plays.act, "in quiet hours only because it was asked for" in plays.reason) == (Act.PLAY, True)
    silent = House(quiet_hours=NIGHT, start_when_silent=True, clock=time(23)).feel(Mood.HAPPY).ask(Ask.MOOD_FROM_AFAR)
    assert (silent.act, silent.reason.startswith("Quiet hours")) == (Act.KEEP, True)


def test_music_that_fits_the_named_mood_goes_on():
    house = playing().feel(Mood.HAPPY)
    house.ask(Ask.MOOD_FROM_AFAR)
    house.run(30)
    assert house.ask(Ask.MOOD_FROM_AFAR).reason.startswith("Asked from afar: happy, and the music fits already")


def test_while_it_is_not_known_what_plays_nothing_is_changed():
    house = House().feel(Mood.HAPPY)
    unknown = Situation(house.now_s, house.local, house.reading, house.people, None, house.now_s, Ask.MOOD_FROM_AFAR)
    assert house.policy.needs_fresh_look(Ask.MOOD_FROM_AFAR, unknown)
    assert "not known what the speaker plays" in house.policy.decide(unknown).decision.reason


def test_what_plays_on_another_speaker_is_left_alone():
    house = House(listens="Kitchen").feel(Mood.HAPPY)
    elsewhere = Playback(playing=True, track=THEIRS, speaker=Speaker("p", "Phone", active=True))
    asked = Situation(house.now_s, house.local, house.reading, house.people, elsewhere, house.now_s, Ask.MOOD_FROM_AFAR)
    assert "plays on Phone" in house.policy.decide(asked).decision.reason
    assert "plays on Phone" in volume(house, 10, elsewhere).reason


def test_a_goal_that_is_wanted_holds_at_all_hours_until_it_is_taken_back():
    house = House(goal="match", goals=(GoalHours(start=time(20), end=time(23), goal="lift"),))
    assert [house.policy.goal(time(hour)) for hour in (12, 21)] == ["match", "lift"]
    house.policy.want_goal("calm")
    assert [house.policy.goal(time(hour)) for hour in (12, 21)] == ["calm", "calm"]
    house.speaker.play(THEIRS)
    assert "calm music at this hour" in house.feel(Mood.ANGRY).ask(Ask.LOOK).reason
    house.policy.want_goal(None)
    assert house.policy.goal(time(21)) == "lift"


@pytest.mark.parametrize(("percent", "becomes"), [(20, 20), (0, 0), (35, 35), (36, 35), (100, 35)])
def test_a_volume_is_never_above_the_cap_of_the_hour(percent, becomes):
    house = House(volume_cap=70, volume_caps=(VolumeHours(start=time(22), end=time(7), volume_cap=35),), clock=time(23)).feel(Mood.HAPPY)
    decision = volume(house, percent, loud())
    assert (decision.act, decision.volume_percent) == (Act.VOLUME, becomes)
    assert ("not louder than that at this hour" in decision.reason) is (becomes < percent)


@pytest.mark.parametrize(
    ("playback", "why_not"),
    [
        (loud(plays=False), "Nothing plays"),
        (loud(settable=False), "Kitchen lets nobody else set its volume"),
        (loud(None), "not known how loud"),
        (Playback(playing=True, track=THEIRS), "not known how loud"),
    ],
)
def test_a_volume_that_cannot_be_set_says_why(playback, why_not):
    decision = volume(House().feel(Mood.HAPPY), 10, playback)
    assert decision.act is Act.KEEP
    assert why_not in decision.reason


def test_a_volume_waits_for_no_order_that_is_on_its_way():
    house = House().feel(Mood.HAPPY)
    house.decide(Ask.LOOK)
    assert "try again in a moment" in volume(house, 10, loud()).reason


def test_a_volume_that_failed_is_not_tried_again_behind_the_back_of_who_was_told():
    house = playing().feel(Mood.HAPPY)
    decision = volume(house, 10, loud())
    house.policy.ended(decision, OrderStatus.FAILED, house.now_s, error=SpeakerUnavailable("it does not answer"))
    house.run(LONG_S)
    assert "volume" not in house.acts
