"""What the policy tells the taste: what became of our songs, once each; of others nothing."""

import pytest
from hypothesis import given, settings
from music_house import LONG_S, THEIRS, House, Notebook, song
from test_music_properties import days, rules

from moodify.config.model import MoodMusic
from moodify.music.looks import Look, ended, outcome
from moodify.music.situation import Ask, Situation
from moodify.music.song import Outcome
from moodify.types import Act, Mood, Playback, Speaker


def learning(**rules):
    taste = Notebook()
    house = House(taste=taste, **rules).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(10)
    return house, taste


def test_a_song_that_is_heard_to_its_end_is_told_once():
    house, taste = learning()
    first = house.speaker.track.title
    house.run(LONG_S)
    assert taste.lessons == [("happy", first, "heard")]


def test_a_song_that_ends_in_an_empty_room_was_heard_by_nobody():
    house, taste = learning()
    house.feel(Mood.ABSENT).run(LONG_S)
    assert taste.lessons == []
    house.feel(Mood.HAPPY).run(LONG_S)
    assert [lesson[2] for lesson in taste.lessons] == ["heard"]


def test_not_this_is_told_once_and_at_once():
    house, taste = learning()
    first = house.speaker.track.title
    house.ask(Ask.NEXT)
    assert taste.lessons == [("happy", first, "skipped")]
    house.run(50)
    assert taste.lessons == [("happy", first, "skipped")]


@pytest.mark.parametrize("queued", [True, False])
def test_a_song_cut_short_by_phone_is_told_as_such(queued):
    house, taste = learning()
    first = house.speaker.track.title
    if queued:
        house.speaker.queue.append(song("from the phone"))
        house.speaker.skip()
    else:
        house.speaker.play(THEIRS)
    house.run(50)
    assert taste.lessons == [("happy", first, "skipped elsewhere")]


def test_a_song_cut_shortly_before_its_end_was_heard():
    house, taste = learning()
    house.run(LONG_S - 25)
    house.speaker.play(THEIRS)
    house.run(5)
    assert [lesson[2] for lesson in taste.lessons] == ["heard"]


def test_a_song_that_somebody_pauses_says_nothing():
    house, taste = learning()
    house.speaker.playing = False
    house.run(1000)
    house.speaker.play(THEIRS)
    house.run(50)
    assert taste.lessons == []


def test_the_last_song_before_silence_was_heard():
    house, taste = learning()
    house.feel(Mood.UNSURE)
    house.pool.fill(Mood.HAPPY, (), 0.0)
    house.run(LONG_S)
    assert not house.speaker.playing
    assert [lesson[2] for lesson in taste.lessons] == ["heard"]


def test_music_of_a_person_teaches_nothing():
    taste = Notebook()
    house = House(taste=taste)
    house.speaker.play(THEIRS)
    house.run(5)
    house.ask(Ask.LIKE)
    house.ask(Ask.NEXT)
    house.run(LONG_S)
    assert taste.lessons == []


def test_a_press_that_brings_other_music_says_nothing_of_the_song_that_played():
    house, taste = learning()
    house.feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(50)
    assert taste.lessons == []


def test_music_that_moves_to_another_speaker_says_nothing():
    house, taste = learning(listens="Kitchen")
    elsewhere = Playback(playing=True, track=THEIRS, speaker=Speaker("p", "Phone", active=True))
    house.policy.decide(Situation(house.now_s + 1, house.local, house.reading, 1, elsewhere, house.now_s + 1, None, house.situation().at))
    house.run(50)
    assert taste.lessons == []


def test_what_happened_while_nobody_looked_is_not_guessed():
    house, taste = learning()
    house.now_s += 400
    house.speaker.play(THEIRS)
    house.run(5)
    assert taste.lessons == []


def test_without_a_date_nothing_is_learned():
    house, taste = learning()
    house.policy.decide(Situation(house.now_s, house.local, house.reading, 1, house.speaker.look(), house.now_s, Ask.NEXT))
    assert taste.lessons == []


def test_a_lift_tells_of_which_music_it_was():
    house, taste = learning(goal="lift", change_window_s=60)
    house.feel(Mood.SAD)
    house.ask(Ask.LOOK)
    house.run(3 * LONG_S + 20)
    assert [mood for mood, _, _ in taste.lessons] == ["sad", "sad", "calm"]


def test_a_playlist_that_is_played_as_a_whole_teaches_nothing():
    taste = Notebook()
    house = House(taste=taste, moods={Mood.HAPPY: MoodMusic(uri="spotify:playlist:own")}).feel(Mood.HAPPY)
    house.pool.fill(Mood.HAPPY, (), 0.0)
    house.ask(Ask.LOOK)
    house.run(10)
    house.ask(Ask.NEXT)
    assert taste.lessons == []


def test_liking_is_noted_once_and_then_the_end_says_nothing_more():
    house, taste = learning()
    first = house.speaker.track
    decision = house.ask(Ask.LIKE)
    assert decision.act is Act.KEEP
    assert decision.reason == f"You like '{first.title}' by Somebody: noted, for when it is happy"
    house.ask(Ask.LIKE)
    house.run(LONG_S)
    assert taste.lessons == [("happy", first.title, "liked")]


def test_liking_music_of_a_person_says_that_it_is_not_learned():
    house = House(taste=Notebook())
    house.speaker.play(THEIRS)
    assert house.ask(Ask.LIKE).reason == "'theirs' by Somebody was not chosen by Moodify, so nothing is learned from it"


def test_liking_in_silence_says_so():
    assert House(taste=Notebook()).ask(Ask.LIKE).reason == "Nothing plays, so there is nothing to like"


def test_liking_with_learning_off_says_so():
    house, taste = learning(learning=False)
    assert house.ask(Ask.LIKE).reason.endswith("but nothing is learned from it: learning is off")
    assert taste.lessons == []


def test_liking_when_the_song_may_have_changed_wants_another_press():
    house, _ = learning()
    old = house.situation(Ask.LIKE)
    late = Situation(house.now_s + LONG_S, house.local, house.reading, 1, old.playback, house.now_s, Ask.LIKE, old.at)
    assert "not known which song plays" in house.policy.decide(late).decision.reason


def test_a_like_is_for_the_song_that_plays_now_and_wants_a_fresh_look():
    house, _ = learning()
    now = house.situation()
    old = Situation(house.now_s, house.local, None, 1, now.playback, house.now_s - 4)
    assert house.policy.needs_fresh_look(Ask.LIKE, old)
    assert not house.policy.needs_fresh_look(Ask.LIKE, now)


def test_a_song_that_plays_again_is_told_again():
    house, taste = learning(songs=1)
    house.run(2 * LONG_S)
    assert [lesson[2] for lesson in taste.lessons] == ["heard", "heard"]


@settings(max_examples=60, deadline=None)
@given(rules, days)
def test_no_play_is_told_twice_and_nobody_elses(rules, day):
    taste = Notebook()
    house = House(taste=taste, **rules)
    for what, ticks in day:
        if isinstance(what, Mood):
            house.feel(what)
        elif isinstance(what, Ask):
            house.ask(what)
        elif what == "they play":
            house.speaker.play(song(f"theirs{len(house.speaker.started)}"))
        elif what == "they skip":
            house.speaker.skip()
        house.run(ticks * 5.0, 5.0)
    plays = [uri.removeprefix("spotify:track:") for uri in house.speaker.started]
    told = [title for _, title, _ in taste.lessons]
    assert not any(title.startswith("theirs") for title in told)
    for title in set(told):
        assert told.count(title) <= plays.count(title)


def look(progress_s, at_s, uri="a", *, playing=True):
    track = None if uri is None else song(uri)
    return Look(Playback(playing, track, round(progress_s * 1000)), at_s)


@pytest.mark.parametrize(
    ("before", "now", "became"),
    [
        (look(10, 0), look(40, 30), None),
        (look(10, 0), look(5, 30, "b"), Outcome.SKIPPED_ELSEWHERE),
        (look(170, 0), look(1, 31, "b"), Outcome.HEARD),
        (look(170, 0), look(19, 31, "b"), Outcome.HEARD),
        (look(150, 0), look(28, 31, "b"), Outcome.SKIPPED_ELSEWHERE),
        (look(190, 0), look(0, 12, playing=False), Outcome.HEARD),
        (look(190, 0), look(195, 12, playing=False), None),
        (look(190, 0), look(0, 12, None, playing=False), Outcome.HEARD),
        (look(10, 0), look(0, 12, None, playing=False), None),
        (look(10, 0, playing=False), look(5, 30, "b"), None),
        (look(10, 0), look(5, 130, "b"), None),
        (look(0, 0, None), look(5, 30, "b"), None),
    ],
)
def test_two_looks_tell_what_became_of_the_song_between_them(before, now, became):
    assert outcome(before, now, again=False) is became


@pytest.mark.parametrize(
    ("now", "over"),
    [
        (look(195, 12, playing=False), False),
        (look(0, 12, playing=False), True),
        (look(0, 3, playing=False), False),
        (look(0, 3, None, playing=False), False),
        (look(0, 12, None, playing=False), True),
    ],
)
def test_a_song_that_stands_in_its_middle_was_paused_and_has_not_ended(now, over):
    assert ended(look(190, 0), now) is over
