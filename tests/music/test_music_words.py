import pytest
from hypothesis import given
from hypothesis import strategies as st
from music_house import song

from moodify.errors import SpeakerUnavailable
from moodify.music.words import REASON_MAX, because, felt_for, message, name, several, short, span
from moodify.types import Mood, MoodReading, Track


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (40.4, "40 s"), (119, "119 s"), (120, "2 min"), (600, "10 min"), (7199.9, "2 h"), (5400, "90 min"), (9000, "2.5 h")])
def test_durations_are_said_the_way_people_do(seconds, said):
    assert span(seconds) == said


@pytest.mark.parametrize(("track", "said"), [(song("Noon"), "'Noon' by Somebody"), (Track("spotify:playlist:x", "your playlist", "", 0), "your playlist"), (None, "what plays")])
def test_songs_are_said_with_their_artist(track, said):
    assert name(track) == said


@pytest.mark.parametrize(("people", "said"), [(0, ""), (1, ""), (2, "two people, "), (9, "nine people, "), (10, "ten people, "), (11, "many people, ")])
def test_several_people_are_told_of_and_one_is_not(people, said):
    assert several(people) == said


def test_a_mood_is_said_with_how_long_it_has_lasted():
    reading = MoodReading(Mood.HAPPY, 0.9, 100.0)
    assert felt_for(reading, 1, 220.0) == "Happy for 2 min"
    assert felt_for(reading, 2, 130.0) == "Two people, happy for 30 s"


@pytest.mark.parametrize(("text", "longest", "said"), [("short", 5, "short"), ("two long words", 12, "two long…"), ("unbreakable", 6, "unbre…"), ("one, two", 7, "one…")])
def test_a_long_text_is_cut_at_a_word(text, longest, said):
    assert short(text, longest) == said


@given(st.text(max_size=300), st.integers(2, 120))
def test_a_cut_text_is_never_longer_than_it_may_be(text, longest):
    assert len(short(text, longest)) <= longest


def test_a_song_with_a_long_name_stays_sayable():
    assert len(name(song("A " * 200, artist="B " * 200))) <= 76


@given(st.text(min_size=1, max_size=150), st.lists(st.none() | st.text(max_size=150), max_size=4))
def test_reasons_are_added_as_far_as_there_is_room(said, parts):
    reason = because(said, *parts)
    assert reason.startswith(said)
    assert len(reason) <= REASON_MAX


def test_the_first_reason_matters_most():
    assert because("Playing", "it fits", None, "", "x" * 200, "you like it") == "Playing, it fits, you like it"


@pytest.mark.parametrize("error", ["Spotify can't be reached; check the network.", SpeakerUnavailable("x" * 500)])
def test_an_error_fits_into_a_sentence(error):
    said = message(error)
    assert len(said) <= 130
    assert not said.endswith(".")
