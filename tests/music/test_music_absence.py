"""A pause for want of people: how long it may end by itself, what a press does to it, and what is said of it."""

from datetime import time

import pytest
from music_house import Fault, House

from moodify.config.model import QuietHours
from moodify.errors import SpeakerUnavailable
from moodify.music.situation import Ask
from moodify.types import Act, Mood, OrderStatus

OUTAGE = Fault(SpeakerUnavailable("Spotify can't be reached; check the network"), retry_after_s=30.0)


def left_alone(**rules):
    """A home where our music plays and nobody has been for a minute but a second."""
    house = House(absence_pause_s=60, fade_s=8, **rules).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    return house.run(20).feel(Mood.ABSENT).run(59)


def paused(**rules):
    house = left_alone(**rules).run(11)
    assert house.acts[-1] == "pause"
    return house


@pytest.mark.parametrize(("outage_s", "goes_on"), [(100, True), (320, False), (1500, False)])
def test_the_music_goes_on_by_itself_only_soon_after_somebody_is_back(outage_s, goes_on):
    house = paused()
    house.people = 1
    house.fault = OUTAGE
    house.run(outage_s)
    house.fault = None
    house.run(700)
    assert house.speaker.playing is goes_on
    assert ("silent" in house.reasons[-1]) is not goes_on


def test_who_is_back_in_an_outage_is_told_once_nothing_goes_on_by_itself_any_more():
    house = paused()
    house.people = 1
    house.fault = OUTAGE
    house.run(30)
    assert "trying again" in house.reasons[-1]
    house.run(275)
    assert house.reasons[-1] == "The speaker did not go on in time, so it stays silent: press the button for music"
    house.run(700)
    assert house.reasons[-1] == "The speaker is silent and is not started unasked: press the button for music"


@pytest.mark.parametrize(("quiet_s", "goes_on"), [(240, True), (400, False)])
def test_who_came_long_before_quiet_hours_ended_is_not_surprised_by_music(quiet_s, goes_on):
    house = paused(clock=time(6, 50), quiet_hours=QuietHours(start=time(6, 51), end=time(7)))
    house.run(510 - quiet_s)
    house.people = 1
    house.run(700)
    assert ("resume" in house.acts) is goes_on


def test_who_leaves_and_comes_back_hears_the_music_go_on():
    house = paused()
    house.people = 1
    house.fault = OUTAGE
    house.run(200)
    house.people = 0
    house.run(200)
    house.fault = None
    house.people = 1
    house.run(100)
    assert house.speaker.playing


@pytest.mark.parametrize(("unseen_s", "goes_on"), [(200, True), (400, False)])
def test_who_may_have_come_unseen_counts_as_back(unseen_s, goes_on):
    house = paused()
    house.reading = None
    house.run(unseen_s)
    house.people = 1
    house.run(10)
    assert house.speaker.playing is goes_on


def test_a_pause_says_that_nobody_is_here_only_where_that_is_known():
    house = paused()
    assert house.reasons[-1] == "Paused while nobody is here"
    house.reading = None
    house.run(10)
    assert house.reasons[-1] == "Can't tell whether anybody is here: the music stays paused"


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_look_while_the_music_fades_out_lets_it_go_on_where_it_fits(by_hand):
    house = left_alone()
    ours = house.speaker.track
    if by_hand:
        fading = house.decide(Ask.PAUSE)
    else:
        house.now_s += 1
        fading = house.decide()
    assert fading.act is Act.PAUSE
    decision = house.feel(Mood.HAPPY).decide(Ask.LOOK)
    assert decision.act is Act.RESUME
    assert decision.reason == f"You asked: happy, so '{ours.title}' by {ours.artist} goes on"
    house.policy.ended(fading, OrderStatus.DROPPED, house.now_s)
    house.arrive(decision)
    house.run(10)
    assert house.speaker.playing
    assert house.speaker.started == [ours.uri]


def test_a_look_while_the_music_fades_out_plays_other_music_where_it_does_not_fit():
    house = left_alone()
    house.now_s += 1
    house.decide()
    assert house.feel(Mood.SAD).decide(Ask.LOOK).act is Act.PLAY
