"""Playlists: whom they are for, their course, their variety, their reasons."""

from datetime import UTC, datetime
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodify.music.playlist import Preferences, make_playlist
from moodify.music.song import Candidate, Features, Outcome
from moodify.music.taste import ThompsonTaste
from moodify.types import Mood, Track

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOALS = ("match", "lift", "calm")


def candidate(number, *, artist="", energy=0.5, valence=0.5, fit=1.0, explicit=None, known=True, why="energy and valence fit"):
    track = Track(f"spotify:track:{number}", f"Song {number}", artist or f"Artist {number}", 200_000, explicit)
    return Candidate(track, fit, why, Features(energy, valence) if known else None)


units = st.floats(0, 1)
pools = st.lists(st.tuples(st.sampled_from("ABCDE"), units, units, units, st.sampled_from([True, False, None]), st.booleans()), max_size=30).map(
    lambda rows: [
        candidate(number, artist=artist, energy=energy, valence=valence, fit=fit, explicit=explicit, known=known)
        for number, (artist, energy, valence, fit, explicit, known) in enumerate(rows)
    ]
)
wishes = st.builds(
    Preferences,
    goal=st.sampled_from(GOALS),
    loves=st.lists(st.sampled_from("abcX"), max_size=2).map(tuple),
    avoids=st.lists(st.sampled_from("DEX"), max_size=2).map(tuple),
    explicit=st.booleans(),
    length=st.integers(1, 40),
)


def uris(playlist):
    return [pick.track.uri for pick in playlist.picks]


def slope(playlist):
    """Rise of energy from the first song to the last, by least squares."""
    energies = [pick.features.energy for pick in playlist.picks]
    places = [place / (len(energies) - 1) - 0.5 for place in range(len(energies))]
    return sum(place * energy for place, energy in zip(places, energies, strict=True)) / sum(place * place for place in places)


@settings(max_examples=60, deadline=None)
@given(pools, wishes)
def test_it_holds_each_song_once_and_as_many_as_may_be(pool, wanted):
    playlist = make_playlist(Mood.HAPPY, pool, wanted)
    assert len(set(uris(playlist))) == len(uris(playlist))
    allowed = len(pool) - sum(playlist.left_out.values())
    assert len(playlist.picks) == min(wanted.length, allowed)
    assert set(uris(playlist)) <= {song.track.uri for song in pool}


@settings(max_examples=60, deadline=None)
@given(pools, wishes)
def test_nobody_hears_whom_they_avoid_or_what_they_would_not_hear(pool, wanted):
    for pick in make_playlist(Mood.HAPPY, pool, wanted).picks:
        assert pick.track.artist not in wanted.avoids
        assert wanted.explicit or not pick.track.explicit


@settings(max_examples=60, deadline=None)
@given(pools, wishes)
def test_every_song_has_a_reason_and_the_same_wish_gives_the_same_list(pool, wanted):
    playlist = make_playlist(Mood.HAPPY, pool, wanted)
    assert all(pick.reasons and all(pick.reasons) for pick in playlist.picks)
    assert make_playlist(Mood.HAPPY, pool, wanted) == playlist


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=6), st.integers(1, 6), st.sampled_from(GOALS), st.randoms(use_true_random=False))
def test_an_artist_never_follows_itself_where_that_can_be_avoided(artists, length, goal, rng):
    pool = [candidate(number, artist=artist, energy=rng.random(), fit=rng.random()) for number, artist in enumerate(artists)]
    picks = make_playlist(Mood.HAPPY, pool, Preferences(goal=goal, length=length)).picks
    follows = any(one.track.artist == two.track.artist for one, two in pairwise(picks))
    avoidable = any(all(one != two for one, two in pairwise(order)) for order in permutations(artists, min(length, len(artists))))
    assert follows == (not avoidable)


def test_the_same_artist_together_with_a_guest_is_the_same_artist():
    pool = [candidate(number, artist=name) for number, name in enumerate(["Lantern Parade", "Lantern Parade, Guest", "Lantern Parade", "Other", "Another"])]
    picks = make_playlist(Mood.HAPPY, pool, Preferences()).picks
    assert all(not (one.track.artist.startswith("Lantern") and two.track.artist.startswith("Lantern")) for one, two in pairwise(picks))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(25, 80), st.integers(12, 25))
def test_lift_rises_and_calm_falls(seed, songs, length):
    rng = Random(seed)
    pool = [candidate(number, artist=f"artist {number % 12}", energy=rng.random(), valence=rng.random(), fit=rng.uniform(0.5, 1)) for number in range(songs)]
    slopes = {goal: slope(make_playlist(Mood.HAPPY, pool, Preferences(goal=goal, length=length))) for goal in ("lift", "calm")}
    assert slopes["lift"] > 0.4
    assert slopes["calm"] < -0.4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_match_stays_flat(seed):
    rng = Random(seed)
    pool = [candidate(number, artist=f"artist {number % 12}", energy=rng.random(), valence=rng.random(), fit=rng.uniform(0.5, 1)) for number in range(80)]
    assert abs(slope(make_playlist(Mood.HAPPY, pool, Preferences(length=20)))) < 0.3


def test_the_course_holds_for_a_catalogue_that_is_loud_throughout():
    pool = [candidate(number, energy=0.9 + number / 500) for number in range(40)]
    assert slope(make_playlist(Mood.HAPPY, pool, Preferences(goal="lift", length=10))) > 0
    assert slope(make_playlist(Mood.HAPPY, pool, Preferences(goal="calm", length=10))) < 0


def test_a_loved_artist_comes_first_among_what_fits_equally():
    pool = [candidate(number, artist="Lantern Parade" if number == 7 else "") for number in range(12)]
    (first,) = make_playlist(Mood.HAPPY, pool, Preferences(loves=("lantern parade",), length=1)).picks
    assert first.track.artist == "Lantern Parade"
    assert first.reasons[0] == "by lantern parade, who is loved"


def test_a_song_that_fits_better_comes_before_one_that_fits_less():
    pool = [candidate(1, fit=0.3), candidate(2, fit=0.9)]
    assert uris(make_playlist(Mood.HAPPY, pool, Preferences(length=1))) == ["spotify:track:2"]


def test_what_sounds_unlike_the_last_song_comes_next():
    pool = [candidate(1, valence=0.5, fit=1.0), candidate(2, valence=0.5, fit=0.9), candidate(3, valence=0.95, fit=0.9)]
    assert uris(make_playlist(Mood.HAPPY, pool, Preferences(length=2))) == ["spotify:track:1", "spotify:track:3"]


def test_what_was_learned_counts_and_is_said():
    taste = ThompsonTaste(Random(1))
    pool = [candidate(number) for number in range(4)]
    for _ in range(4):
        taste.learn(Mood.HAPPY, pool[0].track, Outcome.SKIPPED, NOW)
        taste.learn(Mood.HAPPY, pool[2].track, Outcome.LIKED, NOW)
    picks = make_playlist(Mood.HAPPY, pool, Preferences(), taste).picks
    assert picks[0].track == pool[2].track
    assert "you liked it before" in picks[0].reasons
    assert picks[-1].track == pool[0].track
    assert any(reason.startswith("you skipped") for reason in picks[-1].reasons)


@pytest.mark.parametrize(("goal", "words"), [("lift", ("begins low with energy 0.00", "rises to energy")), ("calm", ("begins high with energy 0.95", "falls to energy"))])
def test_the_course_is_said(goal, words):
    pool = [candidate(number, energy=number / 20) for number in range(20)]
    playlist = make_playlist(Mood.HAPPY, pool, Preferences(goal=goal))
    first, second = playlist.picks[:2]
    assert words[0] in first.reasons
    assert any(reason.startswith(words[1]) for reason in second.reasons)
    assert "first by Artist" in second.reasons[-1]


def test_it_says_what_was_left_out_and_what_is_not_known():
    pool = [
        candidate(1, explicit=True),
        candidate(2, explicit=None),
        candidate(3, explicit=False),
        candidate(4, artist="The Paper Weather, Guest"),
        Candidate(Track("spotify:track:5", "song 3", "ARTIST 3", 1)),
    ]
    playlist = make_playlist(Mood.SAD, pool, Preferences(explicit=False, avoids=("the paper weather",)))
    assert sorted(uris(playlist)) == ["spotify:track:2", "spotify:track:3"]
    assert playlist.left_out == {"explicit": 1, "by artists to avoid": 1, "the same song again": 1}
    assert playlist.unmarked == 1


def test_artists_with_alike_names_are_not_mixed_up():
    pool = [candidate(1, artist="Air"), candidate(2, artist="Air Supply"), candidate(3, artist="Fresh Air")]
    assert sorted(uris(make_playlist(Mood.CALM, pool, Preferences(avoids=("air",))))) == ["spotify:track:2", "spotify:track:3"]


def test_no_songs_make_an_empty_list():
    assert make_playlist(Mood.SAD, [], Preferences()).picks == ()
