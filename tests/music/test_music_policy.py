from datetime import time
from itertools import pairwise
from random import Random

import pytest
from music_house import LONG_S, THEIRS, Fault, House, song

from moodify.config.model import MoodMusic, QuietHours
from moodify.music.hours import ANY_MAY_BE_QUIET
from moodify.music.policy import Policy
from moodify.music.situation import Ask, Situation
from moodify.music.words import name
from moodify.types import Act, Mood, OrderStatus, Playback

NIGHT = QuietHours(start=time(22), end=time(7))


def playing_theirs(**rules):
    house = House(**rules)
    house.speaker.play(THEIRS)
    return house


def test_a_silent_speaker_is_not_started_unasked():
    house = House().feel(Mood.HAPPY).run(3600)
    assert house.acts == []
    assert "press the button" in house.reasons[-1]


def test_a_silent_speaker_is_started_where_the_owner_allows_it_after_the_dwell():
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(119)
    assert house.acts == []
    house.run(1)
    assert house.acts == ["play"]
    assert house.log[0][1].reason.startswith("Happy for 2 min and nothing plays: playing 'happy")


def test_a_press_starts_music_at_once():
    house = House().feel(Mood.SAD)
    decision = house.ask(Ask.LOOK)
    assert (decision.act, decision.mood) == (Act.PLAY, Mood.SAD)
    assert decision.track is not None
    assert decision.track.title in decision.reason


def test_a_mood_is_followed_at_the_boundary_after_the_dwell():
    house = playing_theirs().feel(Mood.HAPPY).run(119)
    assert house.acts == []
    house.run(1)
    assert house.acts == ["queue"]
    assert house.log[0][1].reason == f"Happy for 2 min: playing {name(house.log[0][1].track)} next"
    house.run(LONG_S)
    assert house.heard[:2] == ["theirs", "happy"]


def test_the_wait_for_the_dwell_is_said_once_and_wakes_in_time():
    house = playing_theirs().feel(Mood.HAPPY)
    began_s = house.now_s
    house.run(60)
    assert house.reasons == ["Happy is new: the music follows when it has lasted 2 min"]
    assert house.wake_s == began_s + 120


def test_music_of_a_mood_goes_on_with_one_song_queued_ahead():
    house = playing_theirs().feel(Mood.HAPPY).run(4 * LONG_S)
    assert house.heard == ["theirs", "happy", "happy", "happy", "happy"]
    assert house.acts == ["queue"] * 4
    assert len(house.speaker.queue) == 0


def test_asked_only_when_it_wants_to_wake_it_does_the_same():
    house = playing_theirs().feel(Mood.HAPPY)
    for _ in range(12):
        house.ask()
        step_s = (house.wake_s or house.now_s + 1) - house.now_s
        house.now_s += step_s
        house.speaker.pass_time(step_s)
    assert house.acts == ["queue"] * len(house.acts)
    assert house.heard[:3] == ["theirs", "happy", "happy"]


def test_music_changes_at_most_once_in_the_window():
    house = playing_theirs().feel(Mood.HAPPY).run(150).feel(Mood.SAD).run(300)
    assert [decision.mood for _, decision, _ in house.log if decision.act is Act.QUEUE][:2] == [Mood.HAPPY, Mood.HAPPY]
    assert "Sad, but the music changed lately and changes at most once in 10 min" in house.reasons
    house.run(600)
    assert "sad" in house.heard
    changes = [at_s for at_s, decision, _ in house.log if " for " in decision.reason]
    assert changes[1] - changes[0] >= 600


def test_more_changes_are_made_where_the_owner_allows_them():
    house = playing_theirs(max_changes=2, change_window_s=600, dwell_s=10).feel(Mood.HAPPY).run(15).run(LONG_S)
    house.feel(Mood.SAD).run(15)
    assert [decision.mood for _, decision, _ in house.log][-1] is Mood.SAD


def test_a_press_cuts_and_counts_as_the_change():
    house = playing_theirs().feel(Mood.HAPPY)
    assert house.ask(Ask.LOOK).act is Act.PLAY
    house.run(10).feel(Mood.ANGRY).run(400)
    assert "angry" not in house.heard
    assert house.ask(Ask.LOOK).act is Act.PLAY
    assert house.heard[-1] == "angry"


@pytest.mark.parametrize(("mood", "says"), [(Mood.UNSURE, "can't tell the mood"), (Mood.ABSENT, "saw nobody"), (None, "can't tell the mood")])
def test_a_press_that_finds_no_mood_changes_nothing_and_says_so(mood, says):
    house = playing_theirs()
    if mood is not None:
        house.feel(mood)
    decision = house.ask(Ask.LOOK)
    assert decision.act is Act.KEEP
    assert says in decision.reason
    assert "press again" in decision.reason


def test_a_press_while_the_music_fits_does_not_cut_it():
    house = playing_theirs().feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(10)
    decision = house.ask(Ask.LOOK)
    assert decision.act is Act.KEEP
    assert "fits already" in decision.reason


def test_two_presses_in_a_burst_are_one_change():
    house = House().feel(Mood.HAPPY)
    assert [house.ask(Ask.LOOK).act, house.ask(Ask.LOOK).act] == [Act.PLAY, Act.KEEP]


def test_unsure_keeps_the_music_and_lets_it_go_on():
    house = playing_theirs().feel(Mood.HAPPY).run(250).feel(Mood.UNSURE).run(600)
    assert set(house.heard[1:]) == {"happy"}
    assert len(house.heard) >= 4


def test_quiet_hours_leave_the_music_alone():
    house = playing_theirs(quiet_hours=NIGHT, clock=time(23, 30)).feel(Mood.HAPPY).run(190)
    assert house.acts == []
    assert house.reasons == ["Quiet hours until 07:00: no music is started or changed by mood"]
    assert house.wake_s == pytest.approx(house.now_s + 7.5 * 3600 - 190)


def test_quiet_hours_do_not_start_a_silent_speaker():
    house = House(quiet_hours=NIGHT, start_when_silent=True, clock=time(6, 50)).feel(Mood.HAPPY).run(599)
    assert house.acts == []
    house.run(2)
    assert house.acts == ["play"]


def doubting(**rules):
    """A house at noon by a clock that is known to be wrong."""
    house = House(start_when_silent=True, **rules)
    house.clock_doubted = True
    return house.feel(Mood.HAPPY)


def test_while_the_clock_is_wrong_any_hour_may_be_a_quiet_one():
    house = doubting(quiet_hours=NIGHT).run(300)
    assert (house.acts, house.reasons) == ([], [ANY_MAY_BE_QUIET])
    house.clock_doubted = False
    assert house.run(2).acts == ["play"]


def test_a_press_works_while_the_clock_is_wrong_and_its_music_goes_on():
    house = doubting(quiet_hours=NIGHT)
    assert "when it may be a quiet hour only because you asked" in house.ask(Ask.LOOK).reason
    assert len(house.run(3 * LONG_S).heard) >= 3


def test_where_there_are_no_quiet_hours_a_wrong_clock_keeps_no_music_back():
    assert doubting().run(300).acts[:1] == ["play"]


def test_a_press_works_in_quiet_hours_and_its_music_goes_on():
    house = House(quiet_hours=NIGHT, clock=time(1, 0)).feel(Mood.CALM)
    assert "quiet hours only because you asked" in house.ask(Ask.LOOK).reason
    house.run(3 * LONG_S)
    assert house.heard == ["calm"] * len(house.heard)
    assert len(house.heard) >= 3


def test_music_that_was_on_before_the_quiet_hours_ends_with_its_song():
    house = playing_theirs(quiet_hours=NIGHT, clock=time(21, 54)).feel(Mood.HAPPY).run(3600)
    assert not house.speaker.playing
    assert house.local > time(22, 0)


def test_our_music_pauses_when_nobody_is_here_and_goes_on_when_somebody_is_back():
    house = playing_theirs(absence_pause_s=300).feel(Mood.HAPPY).run(LONG_S + 20).feel(Mood.ABSENT).run(299)
    assert "pause" not in house.acts
    house.run(1)
    assert house.acts[-1] == "pause"
    assert house.log[-1][1].reason == "Nobody was here for 5 min: pausing"
    house.run(600)
    assert house.acts[-1] == "pause"
    house.people = 1
    house.run(1)
    assert house.acts[-1] == "resume"
    assert house.speaker.playing


def test_music_that_a_person_put_on_is_never_paused_for_absence():
    house = playing_theirs(absence_pause_s=60).feel(Mood.ABSENT).run(190)
    assert house.acts == []


def test_absence_never_pauses_where_the_owner_set_0():
    house = playing_theirs(absence_pause_s=0).feel(Mood.HAPPY).run(LONG_S + 20).feel(Mood.ABSENT).run(2000)
    assert "pause" not in house.acts


def test_after_a_long_absence_nobody_is_surprised_by_music():
    house = playing_theirs(absence_pause_s=60).feel(Mood.HAPPY).run(LONG_S + 20).feel(Mood.ABSENT).run(4000).feel(Mood.HAPPY).run(300)
    assert house.acts[-1] == "pause"


def test_a_pause_by_a_person_is_not_undone_by_coming_back():
    house = playing_theirs(absence_pause_s=60).feel(Mood.HAPPY).run(LONG_S + 20)
    assert house.ask(Ask.PAUSE).act is Act.PAUSE
    house.feel(Mood.ABSENT).run(120).feel(Mood.HAPPY).run(300)
    assert house.acts[-1] == "pause"


@pytest.mark.parametrize("by_button", [True, False])
def test_a_person_who_pauses_has_silence_until_they_ask(by_button):
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(130)
    assert house.speaker.playing
    if by_button:
        house.ask(Ask.PAUSE)
    else:
        house.speaker.playing = False
    house.run(2000)
    assert not house.speaker.playing
    assert "Somebody paused the music" in house.reasons[-1]
    assert house.ask(Ask.LOOK).act is Act.RESUME


def test_a_second_press_of_pause_goes_on():
    house = playing_theirs()
    assert [house.ask(Ask.PAUSE).act, house.ask(Ask.PAUSE).act] == [Act.PAUSE, Act.RESUME]


def test_pause_with_nothing_to_go_on_with_says_so():
    decision = House().ask(Ask.PAUSE)
    assert decision.act is Act.KEEP
    assert "nothing to go on with" in decision.reason


def test_what_a_person_puts_in_place_of_ours_stays_for_a_while():
    house = playing_theirs(change_window_s=300, dwell_s=10).feel(Mood.HAPPY).run(LONG_S + 120)
    assert house.heard[-1] == "happy"
    house.speaker.play(song("chosen", 900))
    house.run(290)
    assert house.acts == ["queue"]
    assert "Happy, but somebody has just chosen other music: it stays for 5 min" in house.reasons
    house.run(20)
    assert house.acts == ["queue", "queue"]


def test_next_skips_a_persons_music_and_remembers_it():
    house = playing_theirs()
    assert house.ask(Ask.NEXT).act is Act.SKIP


def test_next_on_our_single_song_plays_another_of_the_mood():
    house = House(songs=3, no_repeat=0).feel(Mood.HAPPY)
    refused = house.ask(Ask.LOOK).track
    instead = house.ask(Ask.NEXT)
    assert instead.act is Act.PLAY
    assert refused is not None
    assert refused.title in instead.reason
    house.run(10 * LONG_S)
    assert house.speaker.started.count(refused.uri) == 1


def test_next_goes_to_the_song_that_is_queued():
    house = playing_theirs().feel(Mood.HAPPY).run(130)
    assert house.ask(Ask.NEXT).act is Act.SKIP
    assert house.heard == ["theirs", "happy"]


def test_next_with_nothing_playing_says_so():
    assert house_reason(House().ask(Ask.NEXT)) == "Nothing plays, so there is nothing to skip"


def house_reason(decision):
    assert decision.act is Act.KEEP
    return decision.reason


def test_when_everything_was_skipped_it_says_what_to_do():
    house = House(songs=2, no_repeat=0).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.ask(Ask.NEXT)
    house.run(5)
    house.ask(Ask.NEXT)
    house.run(5)
    assert not house.speaker.playing
    assert "You skipped all the happy music" in house_reason(house.ask(Ask.LOOK))


def test_no_song_comes_again_within_no_repeat():
    house = playing_theirs(no_repeat=6).feel(Mood.CALM).run(20 * LONG_S)
    for index, uri in enumerate(house.speaker.started):
        assert uri not in house.speaker.started[max(0, index - 6) : index]
    assert len(house.speaker.started) > 15


def test_with_fewer_songs_than_no_repeat_the_oldest_comes_again():
    house = playing_theirs(songs=3, no_repeat=30).feel(Mood.CALM).run(10 * LONG_S)
    ours = house.speaker.started[1:]
    assert ours[3:6] == ours[0:3]


def test_a_single_song_repeats():
    house = playing_theirs(songs=1).feel(Mood.CALM).run(5 * LONG_S)
    assert house.heard == ["theirs", *["calm"] * 5]


def test_the_first_song_varies_with_the_seed_and_not_otherwise():
    def first(seed):
        return House(seed=seed).feel(Mood.HAPPY).ask(Ask.LOOK).track

    assert first(3) == first(3)
    assert len({first(seed) for seed in range(10)}) > 3


def test_nothing_is_decided_while_an_order_is_on_its_way():
    house = playing_theirs(dwell_s=0).feel(Mood.HAPPY)
    situation = Situation(house.now_s + 1, time(12), house.reading, 1, house.speaker.look(), house.now_s + 1)
    first = house.policy.decide(situation).decision
    assert first.act is Act.QUEUE
    assert house.policy.decide(situation).decision.act is Act.KEEP
    house.policy.ended(first, OrderStatus.DONE, house.now_s + 2)
    assert "fits" in house.policy.decide(situation).decision.reason


def test_an_order_that_was_refused_is_tried_again_later_and_does_not_count():
    house = playing_theirs().feel(Mood.HAPPY)
    house.fault = Fault(retry_after_s=20)
    house.run(121)
    assert house.acts == ["queue"]
    assert "trying again" in house.reasons[-1]
    house.fault = None
    house.run(20)
    assert house.acts == ["queue", "queue"]


def test_the_services_wait_is_kept_but_for_a_press():
    house = playing_theirs(dwell_s=0).feel(Mood.HAPPY)
    situation = Situation(house.now_s, time(12), house.reading, 1, house.speaker.look(), house.now_s)
    decision = house.policy.decide(situation).decision
    house.policy.ended(decision, OrderStatus.FAILED, house.now_s, retry_after_s=50_000)
    assert house.policy.decide(situation).wake_s == house.now_s + 50_000
    assert house.ask(Ask.LOOK).act is Act.PLAY


def test_an_unknown_speaker_is_left_alone():
    house = House(start_when_silent=True, dwell_s=0).feel(Mood.HAPPY)
    verdict = house.policy.decide(Situation(house.now_s, time(12), house.reading, 1, None, 0.0))
    assert verdict.decision.act is Act.KEEP
    assert "not known" in verdict.decision.reason


def test_a_look_from_before_our_order_is_not_believed():
    house = House(start_when_silent=True, dwell_s=0, max_changes=9).feel(Mood.HAPPY)
    silent = Playback(playing=False)
    first = house.policy.decide(Situation(house.now_s, time(12), house.reading, 1, silent, house.now_s)).decision
    house.policy.ended(first, OrderStatus.DONE, house.now_s + 1)
    verdict = house.policy.decide(Situation(house.now_s + 60, time(12), house.reading, 1, silent, house.now_s))
    assert verdict.decision.act is Act.KEEP
    assert "waiting for the speaker" in verdict.decision.reason


def test_a_playlist_that_cannot_be_read_is_played_as_a_whole_on_a_press_only():
    uri = "spotify:playlist:abc"
    house = playing_theirs(dwell_s=0, moods={Mood.HAPPY: MoodMusic(uri=uri)}).feel(Mood.HAPPY)
    house.pool.fill(Mood.HAPPY, (), house.now_s)
    assert "press the button to play it" in house_reason(house.ask())
    decision = house.ask(Ask.LOOK)
    assert decision.act is Act.PLAY
    assert decision.track is not None
    assert decision.track.uri == uri
    assert "your playlist for happy" in decision.reason
    house.run(10)
    assert house.reasons[-1] == "Happy, and the music fits"


@pytest.mark.parametrize(("found", "says"), [(False, "Looking for happy music"), (True, "set a playlist of yours as music.moods.happy.uri")])
def test_a_mood_without_songs_says_why(found, says):
    house = House(songs=0).feel(Mood.HAPPY)
    pool = type(house.pool)(house.config)
    if found:
        pool.fill(Mood.HAPPY, (), 0.0)
    policy = Policy(house.config, pool, Random(1))
    verdict = policy.decide(Situation(5.0, time(12), house.reading, 1, Playback(playing=False), 5.0, Ask.LOOK))
    assert verdict.decision.act is Act.KEEP
    assert says in verdict.decision.reason


def test_what_was_paused_does_not_go_on_in_quiet_hours():
    house = playing_theirs(absence_pause_s=60, quiet_hours=NIGHT, clock=time(21, 50)).feel(Mood.HAPPY).run(LONG_S + 20).feel(Mood.ABSENT).run(700)
    house.feel(Mood.HAPPY).run(120)
    assert house.acts[-1] == "pause"
    assert house.reasons[-1].startswith("Quiet hours until 07:00")


def test_a_pause_is_forgotten_once_nobody_was_here_for_long():
    house = House(start_when_silent=True).feel(Mood.HAPPY).run(130)
    house.ask(Ask.PAUSE)
    house.feel(Mood.ABSENT).run(3600, 10).feel(Mood.HAPPY).run(130)
    assert house.speaker.playing


def test_a_mood_waits_for_the_song_that_is_queued_already():
    house = playing_theirs(max_changes=9, dwell_s=10).feel(Mood.HAPPY).run(LONG_S - 5)
    assert len(house.speaker.queue) == 1
    house.feel(Mood.SAD).run(4)
    house.reading = house.reading.__class__(Mood.SAD, 0.9, house.now_s - 60, people=1)
    decision = house.ask()
    assert decision.act is Act.KEEP
    assert "is next already, the music follows after it" in decision.reason
    house.run(2 * LONG_S)
    assert house.heard[:3] == ["theirs", "happy", "sad"]


def test_a_song_that_never_came_on_is_not_taken_for_somebodys_pause():
    house = playing_theirs(start_when_silent=True).feel(Mood.HAPPY).run(5)
    house.ask(Ask.LOOK)
    house.speaker.track, house.speaker.playing = THEIRS, False
    house.run(700)
    assert house.acts == ["play", "play"]


def test_what_follows_the_end_of_our_song_is_not_taken_for_somebodys_choice():
    house = playing_theirs(dwell_s=10, change_window_s=60).feel(Mood.HAPPY).run(LONG_S + 150)
    house.speaker.queue.clear()
    house.pool.fill(Mood.HAPPY, (), house.now_s)
    house.run(49)
    house.speaker.queue = [song("autoplay")]
    house.run(5)
    assert house.heard[-1] == "autoplay"
    assert not any("somebody has just chosen" in reason for reason in house.reasons)


def test_a_look_that_lags_behind_our_pause_does_not_undo_it():
    house = playing_theirs(absence_pause_s=60).feel(Mood.HAPPY).run(LONG_S + 20).feel(Mood.ABSENT).run(59)
    playing, lagging_s = house.speaker.look(), house.now_s + 1.5
    house.run(1)
    assert house.acts[-1] == "pause"
    house.policy.decide(Situation(lagging_s, time(12), house.reading, 0, playing, lagging_s))
    house.run(10)
    house.people = 1
    house.run(1)
    assert house.acts[-1] == "resume"


def test_a_song_does_not_follow_itself_where_there_is_another():
    house = playing_theirs(songs=2, no_repeat=0).feel(Mood.CALM).run(12 * LONG_S)
    ours = house.speaker.started[1:]
    assert all(one != two for one, two in pairwise(ours))
