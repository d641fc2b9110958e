"""What people do at the speaker itself, and when: nothing that they ended begins again by itself."""

import pytest
from music_house import LONG_S, THEIRS, House, song

from moodify.music.situation import Ask
from moodify.types import Act, Mood, OrderStatus

EMPTY_LOOK_S = 300.0
"""So seldom an empty, silent room's speaker is looked at."""


def with_a_song_queued(**rules):
    house = House(**rules).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(LONG_S - 15)
    assert len(house.speaker.queue) == 1
    return house


def paused_for_absence(**rules):
    house = House(absence_pause_s=60, **rules).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(20).feel(Mood.ABSENT).run(70)
    assert house.acts[-1] == "pause"
    return house


@pytest.mark.parametrize("start_when_silent", [False, True])
def test_a_speaker_that_is_switched_off_in_mid_song_stays_silent(start_when_silent):
    house = with_a_song_queued(start_when_silent=start_when_silent)
    house.speaker.switch_off()
    before = len(house.log)
    house.run(1000)
    assert house.acts[before:] == []
    assert house.ask(Ask.LOOK).act is Act.PLAY


def test_a_speaker_that_loses_its_session_where_the_song_was_due_goes_on():
    house = with_a_song_queued()
    house.run(13)
    house.speaker.switch_off()
    house.run(30)
    assert house.log[-1][1].reason.startswith("The music broke off")


def test_a_podcast_whose_speaker_is_switched_off_is_followed_by_silence():
    house = House(start_when_silent=True).feel(Mood.HAPPY)
    house.speaker.play(song("x"))
    house.speaker.track, house.speaker.context = None, "spotify:show:news"
    house.run(10)
    house.speaker.switch_off()
    house.run(1000)
    assert house.acts == []


@pytest.mark.parametrize("ask", [Ask.LOOK, Ask.PAUSE, Ask.NEXT])
def test_a_pause_by_hand_right_after_an_order_is_a_pause(ask):
    house = House(start_when_silent=True, dwell_s=0, change_window_s=60).feel(Mood.HAPPY)
    if ask is not Ask.LOOK:
        house.speaker.play(THEIRS)
        house.speaker.queue = [song("theirs2")]
        house.speaker.pass_time(30)
    house.speaker.playing = ask is Ask.NEXT
    assert house.ask(ask).act is not Act.KEEP
    house.now_s += 1
    house.speaker.pass_time(1)
    house.speaker.playing = False
    house.run(1000)
    assert len(house.acts) == 1
    assert "Somebody paused the music" in house.reasons[-1]


def test_a_song_that_somebody_had_paused_before_our_order_is_no_pause_of_ours():
    house = House(start_when_silent=True).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.speaker.play(THEIRS)
    house.speaker.pass_time(30)
    house.speaker.playing = False
    house.run(700)
    assert house.acts == ["play", "play"]


@pytest.mark.parametrize("other", [False, True])
def test_who_goes_on_and_pauses_again_during_our_pause_has_silence(other):
    house = paused_for_absence()
    if other:
        house.speaker.play(song("chosen"))
    house.speaker.playing = True
    house.speaker.pass_time(40)
    house.speaker.playing = False
    house.run(EMPTY_LOOK_S, EMPTY_LOOK_S)
    house.people = 1
    house.run(100)
    assert house.acts[-1] == "pause"
    house.feel(Mood.HAPPY)
    assert house.ask(Ask.LOOK).act is Act.RESUME


def test_a_service_that_forgets_a_paused_song_for_a_while_is_nobodys_hand():
    house = paused_for_absence()
    stood = house.speaker.track, house.speaker.progress_s
    house.speaker.switch_off()
    house.run(10)
    # The service sets right where it stands by less than a second.
    house.speaker.track, house.speaker.progress_s = stood[0], stood[1] + 0.6
    house.run(10)
    house.people = 1
    house.run(1)
    assert house.acts[-1] == "resume"


def test_presses_of_next_that_hung_too_long_are_not_made_up_for():
    house = House().feel(Mood.HAPPY)
    house.speaker.play(song("one", 1000))
    house.speaker.queue = [song("two", 1000), song("three", 1000)]
    house.run(5)
    one, two = house.decide(Ask.NEXT), house.decide(Ask.NEXT)
    house.policy.ended(one, OrderStatus.DROPPED, house.now_s)
    house.now_s += 90
    house.arrive(two)
    house.run(30)
    assert house.speaker.track.title == "two"
