from datetime import UTC, datetime, time

import pytest
from music_house import LONG_S, THEIRS, House

from moodify.config.model import QuietHours, VolumeHours
from moodify.errors import NotAllowed, SpeakerUnavailable
from moodify.music.situation import Ask
from moodify.types import Act, Mood, OrderStatus, Playback, Speaker

NIGHT = VolumeHours(start=time(21), end=time(8), volume_cap=35)
LATE = VolumeHours(start=time(23), end=time(6), volume_cap=20)


def evening(clock=time(20, 59), volume=60, caps=(LATE, NIGHT), **rules):
    house = House(clock=clock, volume_caps=caps, volume_cap=80, **rules)
    house.speaker.play(THEIRS)
    house.speaker.track = THEIRS.__class__(THEIRS.uri, THEIRS.title, THEIRS.artist, 172_800_000)
    house.speaker.volume = volume
    return house


def volumes(house):
    return [(decision.volume_percent, decision.reason) for _, decision, _ in house.log if decision.act is Act.VOLUME]


def test_when_the_hour_comes_louder_music_is_turned_down_once():
    house = evening().run(59)
    assert volumes(house) == []
    house.run(5 * 60)
    assert volumes(house) == [(35, "After 21:00 it is not louder than 35 %")]
    assert house.speaker.volume == 35


def test_the_hour_is_woken_for():
    house = evening().run(1)
    assert house.wake_s == house.now_s + 59


def test_each_lower_cap_turns_it_down_and_a_higher_one_never_up():
    house = evening(volume=70).run(13 * 3600, 30)
    assert [percent for percent, _ in volumes(house)] == [35, 20]
    assert house.speaker.volume == 20


def test_who_turns_it_up_again_is_left_alone_until_the_next_boundary():
    house = evening().run(120)
    house.speaker.volume = 70
    house.run(100 * 60, 10)
    assert len(volumes(house)) == 1
    assert house.speaker.volume == 70
    house.run(30 * 60, 10)
    assert volumes(house)[1:] == [(20, "After 23:00 it is not louder than 20 %")]


def test_the_next_evening_it_is_turned_down_again():
    house = evening().run(120)
    house.run(12 * 3600, 30)
    house.speaker.volume = 70
    house.run(11 * 3600 + 3000, 30)
    assert [percent for percent, _ in volumes(house)] == [35, 20]
    house.run(600)
    assert [percent for percent, _ in volumes(house)] == [35, 20, 35]


@pytest.mark.parametrize("volume", [35, 10, 0])
def test_quiet_music_is_left_as_loud_as_it_is(volume):
    house = evening(volume=volume).run(600)
    assert volumes(house) == []
    assert house.speaker.volume == volume


def test_what_is_put_on_loud_after_the_boundary_is_somebodys_wish():
    house = evening()
    house.speaker.playing = False
    house.run(300)
    house.speaker.playing = True
    house.run(300)
    assert volumes(house) == []


def test_a_start_turns_nothing_down():
    assert volumes(evening(clock=time(22)).run(600)) == []


@pytest.mark.parametrize(("off_at", "on_at", "expected"), [(time(20, 59), time(21, 30), 1), (time(21, 30), time(21, 40), 0)])
def test_a_boundary_that_a_restart_missed_is_made_up_for(off_at, on_at, expected):
    house = evening(clock=off_at).run(1)
    now = datetime(2026, 1, 5, 21, tzinfo=UTC)
    after = evening(clock=on_at)
    after.policy.recall(house.policy.memory_as_json(house.now_s, now), after.now_s, now)
    assert len(volumes(after.run(60))) == expected


def test_a_lower_cap_for_all_day_holds_from_the_next_start():
    house = evening(caps=()).run(1)
    now = datetime(2026, 1, 5, 21, tzinfo=UTC)
    after = House(volume_cap=50)
    after.speaker = house.speaker
    after.policy.recall(house.policy.memory_as_json(house.now_s, now), after.now_s, now)
    assert volumes(after.run(5)) == [(50, "It is not louder than 50 %")]


def test_quiet_hours_do_not_keep_it_loud():
    assert len(volumes(evening(quiet_hours=QuietHours(start=time(20), end=time(7))).run(120))) == 1


def test_a_volume_that_is_not_known_yet_is_turned_down_when_it_is():
    house = evening(volume=None).run(120)
    assert volumes(house) == []
    house.speaker.volume = 60
    house.run(2)
    assert len(volumes(house)) == 1


@pytest.mark.parametrize("speaker", [Speaker("k", "Kitchen", active=True, supports_volume=False, volume_percent=90), Speaker("p", "Phone", active=True, volume_percent=90)])
def test_a_speaker_of_fixed_volume_and_another_one_are_left_alone(speaker):
    house = evening(listens="Kitchen")
    house.speaker.look = lambda: Playback(playing=True, track=THEIRS, speaker=speaker)
    assert volumes(house.run(300)) == []


@pytest.mark.parametrize(
    ("status", "error", "again"),
    [(OrderStatus.FAILED, SpeakerUnavailable("slow"), True), (OrderStatus.FAILED, NotAllowed("fixed volume"), False), (OrderStatus.DROPPED, None, True)],
)
def test_an_order_that_failed_is_given_again_where_that_may_help(status, error, again):
    house = evening().run(58)
    house.now_s, house.day_s = house.now_s + 3, house.day_s + 3
    decision = house.decide()
    assert decision.act is Act.VOLUME
    house.policy.ended(decision, status, house.now_s, error=error)
    house.run(60)
    assert len(volumes(house)) == (2 if again else 1)


@pytest.mark.parametrize(("clock", "cap"), [(time(12), 80), (time(21), 35), (time(2), 20)])
def test_music_that_is_started_or_goes_on_is_capped_for_its_hour(clock, cap):
    house = House(clock=clock, volume_caps=(LATE, NIGHT), volume_cap=80, start_when_silent=True).feel(Mood.HAPPY)
    assert house.ask(Ask.LOOK).volume_percent == cap
    house.run(5)
    assert house.ask(Ask.NEXT).volume_percent == cap
    house.run(5)
    assert house.ask(Ask.PAUSE).volume_percent is None
    house.run(5)
    assert house.ask(Ask.PAUSE).volume_percent == cap


def test_music_started_unasked_is_capped_too():
    house = House(clock=time(21, 30), volume_caps=(NIGHT,), start_when_silent=True, absence_pause_s=60).feel(Mood.HAPPY).run(130)
    assert house.log[-1][1].volume_percent == 35
    house.feel(Mood.ABSENT).run(LONG_S // 2)
    assert house.log[-1][1].act is Act.PAUSE
    house.feel(Mood.HAPPY).run(2)
    assert (house.log[-1][1].act, house.log[-1][1].volume_percent) == (Act.RESUME, 35)


def test_only_a_pause_for_absence_fades():
    house = House(absence_pause_s=60, fade_s=9).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(5)
    assert house.ask(Ask.PAUSE).fade_s == 0
    house.run(5)
    house.ask(Ask.PAUSE)
    house.run(5).feel(Mood.ABSENT).run(70)
    assert (house.log[-1][1].act, house.log[-1][1].fade_s) == (Act.PAUSE, 9)


def test_turning_it_down_does_not_hide_that_the_song_ends():
    house = evening(clock=time(20, 57, 30), caps=(NIGHT,)).feel(Mood.HAPPY)
    house.speaker.volume = 90
    house.ask(Ask.LOOK)
    house.speaker.volume = 90
    house.run(2 * LONG_S)
    assert house.speaker.volume == 35
    assert house.heard[-2:] == ["happy", "happy"]
