from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from music_house import House, Notebook, song

from moodify.music.choosing import Past, choose
from moodify.music.situation import Ask
from moodify.music.song import Candidate
from moodify.types import Mood, Track

LETTERS = "abcdefgh"


def uris(letters):
    return [song(letter).uri for letter in letters]


def candidates(letters, fit=1.0):
    return [Candidate(song(letter, artist=f"Band {letter}"), fit) for letter in letters]


def even(_track):
    return 0.5


def chosen(songs, past=Past(), draw=even):  # noqa: B008 - frozen
    choice = choose(songs, past, draw)
    return None if choice is None else (choice.song.track.title, choice.again)


def test_the_song_that_fits_best_wins_where_the_draws_are_alike():
    songs = [Candidate(song("a", artist="A"), 0.4), Candidate(song("b", artist="B"), 0.9)]
    assert chosen(songs) == ("b", False)


def test_a_better_draw_outweighs_a_worse_fit():
    songs = [Candidate(song("a", artist="A"), 0.4), Candidate(song("b", artist="B"), 0.9)]
    assert chosen(songs, draw=lambda track: {"a": 0.9, "b": 0.3}[track.title]) == ("a", False)


def test_in_a_tie_the_earlier_song_wins():
    assert chosen(candidates("ab")) == ("a", False)


def test_a_song_heard_long_ago_comes_before_one_heard_just_before_the_window():
    past = Past(heard=uris("abcdefgh"), no_repeat=2)
    assert chosen(candidates("fa"), past) == ("a", False)


def test_a_song_not_heard_comes_before_those_that_were():
    past = Past(heard=uris("ab"), no_repeat=0)
    assert chosen(candidates("abc"), past) == ("c", False)


def test_the_same_artist_does_not_come_twice_in_a_row_where_another_is_there():
    songs = [Candidate(song("a", artist="Duo, Guest")), Candidate(song("b", artist="Solo"), 0.1)]
    assert chosen(songs, Past(before=song("x", artist="duo"))) == ("b", False)
    assert chosen(songs[:1], Past(before=song("x", artist="duo"))) == ("a", False)


def test_songs_without_an_artist_are_not_by_the_same_one():
    songs = [Candidate(song("a", artist="")), Candidate(song("b", artist="Solo"), 0.1)]
    assert chosen(songs, Past(before=song("x", artist=""))) == ("a", False)


def test_where_all_were_heard_the_oldest_comes_again_and_says_so():
    assert chosen(candidates("abc"), Past(heard=uris("bca"), no_repeat=30)) == ("b", True)


def test_a_song_does_not_follow_itself_but_where_it_is_alone():
    past = Past(heard=uris("ba"), no_repeat=30, busy={song("b").uri})
    assert chosen(candidates("ab"), past) == ("a", True)
    assert chosen(candidates("b"), past) == ("b", True)


@pytest.mark.parametrize("songs", [(), candidates("a")])
def test_without_a_song_that_was_not_refused_there_is_no_choice(songs):
    assert chosen(songs, Past(refused=set(uris("a")))) is None


def test_each_song_is_drawn_for_once_at_most():
    drawn = []
    choose(candidates(LETTERS), Past(refused=set(uris("a")), heard=uris("b"), no_repeat=1), lambda track: drawn.append(track.title) or 0.5)
    assert drawn == list("cdefgh")


some = st.lists(st.sampled_from(LETTERS), unique=True)


@given(
    some, st.lists(st.tuples(st.sampled_from(LETTERS), st.floats(0, 1), st.sampled_from("AB")), unique_by=lambda each: each[0]), some, some, st.integers(0, 10), st.integers(0, 99)
)
def test_no_song_of_the_window_comes_unless_all_others_do_and_none_that_was_refused(heard, rows, refused, busy, no_repeat, seed):
    songs = [Candidate(song(letter, artist=artist), fit) for letter, fit, artist in rows]
    rng = Random(seed)
    past = Past(uris(heard), no_repeat, set(uris(refused)), set(uris(busy)), song("x", artist="A"))
    choice = choose(songs, past, lambda _track: rng.random())
    window = set(heard[-no_repeat:] if no_repeat else ())
    allowed = {each.track.title for each in songs} - set(refused)
    free = allowed - window - set(busy)
    if choice is None:
        assert not allowed
        return
    title = choice.song.track.title
    assert title in (free or allowed)
    assert choice.again is not bool(free)
    if any(each.track.artist == "B" for each in songs if each.track.title in free):
        assert choice.song.track.artist == "B"


def first_songs(songs, households=200, **how):
    firsts = Counter()
    for seed in range(households):
        house = House(seed=seed, **how).feel(Mood.HAPPY)
        house.pool.fill(Mood.HAPPY, songs, 0.0)
        firsts[house.ask(Ask.LOOK).track.title] += 1
    return firsts


def test_the_first_song_varies_over_all_that_fit():
    assert set(first_songs(candidates(LETTERS))) == set(LETTERS)


def test_a_song_that_fits_better_comes_first_more_often_but_not_always():
    firsts = first_songs([*candidates("a", 0.9), *candidates("b", 0.5)])
    assert firsts["a"] > 1.5 * firsts["b"] > 0


def test_what_the_household_likes_is_chosen_and_said():
    taste = Notebook(c=0.9)
    house = House(taste=taste).feel(Mood.HAPPY)
    house.pool.fill(Mood.HAPPY, [Candidate(song(letter, artist=f"Band {letter}"), why="energy and valence fit") for letter in LETTERS], 0.0)
    assert house.ask(Ask.LOOK).reason == "You asked: happy, playing 'c' by Band c now, energy and valence fit, you like Band c"
    assert set(taste.asked) == {Mood.HAPPY}


def test_with_learning_off_the_taste_is_not_asked():
    taste = Notebook(c=0.9)
    house = House(taste=taste, learning=False).feel(Mood.HAPPY)
    assert "you like" not in house.ask(Ask.LOOK).reason
    assert taste.asked == []


def test_a_song_that_comes_again_because_no_other_is_left_says_so():
    house = House(songs=2).feel(Mood.HAPPY)
    house.ask(Ask.LOOK)
    house.run(650)
    assert "again because all others were heard lately" in house.log[-1][1].reason


def test_reasons_stay_short_whatever_songs_are_called():
    taste = Notebook()
    taste.words = lambda mood, track: "you skipped the last two by " + track.artist
    house = House(taste=taste).feel(Mood.SURPRISED, people=3)
    songs = [Candidate(Track(f"spotify:track:{letter}", f"{letter} " * 90, f"{letter}{letter} " * 90, 200_000), why="energy and valence fit") for letter in LETTERS]
    house.pool.fill(Mood.SURPRISED, songs, 0.0)
    house.ask(Ask.LOOK)
    house.run(5)
    house.ask(Ask.NEXT)
    house.run(500)
    house.ask(Ask.LIKE)
    assert len(house.reasons) > 5
    assert max(len(reason) for reason in house.reasons) <= 200
