"""Playlists: whom they are for, their course, their variety, their reasons."""

from datetime import UTC, datetime
from itertools import pairwise, permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodify.music import playlist as playlists
from moodify.music.playlist import Preferences, moods_for
from moodify.music.song import Candidate, Features, Outcome
from moodify.music.taste import ThompsonTaste
from moodify.types import FELT_MOODS, Mood, Track

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
felt_moods = st.sampled_from(FELT_MOODS)
wishes = st.builds(
    Preferences,
    goal=st.sampled_from(GOALS),
    loves=st.lists(st.sampled_from("abcX"), max_size=2).map(tuple),
    avoids=st.lists(st.sampled_from("DEX"), max_size=2).map(tuple),
    explicit=st.booleans(),
    length=st.integers(1, 40),
)


def make_playlist(felt, pool, wanted, taste=None):
    """Make a playlist; a plain list of songs is spread over the moods that it is made of."""
    moods = moods_for(wanted.goal, felt)
    candidates = pool if isinstance(pool, dict) else {mood: pool[place :: len(moods)] for place, mood in enumerate(moods)}
    return playlists.make_playlist(felt, candidates, wanted, taste)


def uris(playlist):
    return [pick.track.uri for pick in playlist.picks]


def slope(playlist, of="energy"):
    """Rise of energy or valence from the first song to the last, by least squares."""
    values = [getattr(pick.features, of) for pick in playlist.picks]
    places = [place / (len(values) - 1) - 0.5 for place in range(len(values))]
    return sum(place * value for place, value in zip(places, values, strict=True)) / sum(place * place for place in places)


@settings(max_examples=60, deadline=None)
@given(pools, wishes, felt_moods)
def test_it_holds_each_song_once_and_as_many_as_may_be(pool, wanted, felt):
    playlist = make_playlist(felt, pool, wanted)
    assert len(set(uris(playlist))) == len(uris(playlist))
    allowed = len(pool) - sum(playlist.left_out.values())
    assert len(playlist.picks) == min(wanted.length, allowed)
    assert set(uris(playlist)) <= {song.track.uri for song in pool}


@settings(max_examples=60, deadline=None)
@given(pools, wishes, felt_moods)
def test_nobody_hears_whom_they_avoid_or_what_they_would_not_hear(pool, wanted, felt):
    for pick in make_playlist(felt, pool, wanted).picks:
        assert pick.track.artist not in wanted.avoids
        assert wanted.explicit or not pick.track.explicit


@settings(max_examples=60, deadline=None)
@given(pools, wishes, felt_moods)
def test_every_song_has_a_reason_and_the_same_wish_gives_the_same_list(pool, wanted, felt):
    playlist = make_playlist(felt, pool, wanted)
    assert all(pick.reasons and all(pick.reasons) for pick in playlist.picks)
    assert make_playlist(felt, pool, wanted) == playlist


@settings(max_examples=60, deadline=None)
@given(pools, wishes, felt_moods)
def test_the_music_goes_through_the_moods_of_the_goal_in_their_order(pool, wanted, felt):
    moods = moods_for(wanted.goal, felt)
    steps = [moods.index(pick.mood) for pick in make_playlist(felt, pool, wanted).picks]
    assert steps == sorted(steps)


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
def test_calm_falls_in_energy_and_lift_rises_in_valence(seed, songs, length):
    rng = Random(seed)
    pool = [candidate(number, artist=f"artist {number % 12}", energy=rng.random(), valence=rng.random(), fit=rng.uniform(0.5, 1)) for number in range(songs)]
    assert slope(make_playlist(Mood.HAPPY, pool, Preferences(goal="calm", length=length))) < -0.4
    assert slope(make_playlist(Mood.HAPPY, pool, Preferences(goal="lift", length=length)), of="valence") > 0.1


def of_moods(*counts):
    """So many songs of each mood, which are bright and energetic as far as their mood is."""
    places = {Mood.SAD: (0.1, 0.3), Mood.CALM: (0.7, 0.1), Mood.HAPPY: (0.9, 0.7), Mood.ANGRY: (0.4, 0.9), Mood.TENSE: (0.2, 0.7)}
    return {mood: [candidate(f"{mood}{number}", valence=places[mood][0] + number / 1000, energy=places[mood][1]) for number in range(count)] for mood, count in counts}


@pytest.mark.parametrize("felt", FELT_MOODS)
def test_calm_is_calm_music_whatever_the_mood(felt):
    pool = of_moods((Mood.ANGRY, 20), (Mood.CALM, 20), (Mood.HAPPY, 20))
    picks = make_playlist(felt, pool, Preferences(goal="calm", length=10)).picks
    assert {pick.mood for pick in picks} == {Mood.CALM}
    assert {pick.track for pick in picks} <= {song.track for song in pool[Mood.CALM]}
    assert all(pick.reasons[0] == "calm music whatever the mood" for pick in picks if felt is not Mood.CALM)


def test_lift_begins_like_the_mood_then_goes_one_step_brighter_at_a_time():
    pool = of_moods((Mood.SAD, 20), (Mood.CALM, 20), (Mood.HAPPY, 20), (Mood.TENSE, 20))
    picks = make_playlist(Mood.SAD, pool, Preferences(goal="lift", length=8)).picks
    assert [pick.mood for pick in picks] == [Mood.SAD] * 2 + [Mood.CALM] * 2 + [Mood.HAPPY] * 4
    assert [pick.reasons[0] for pick in picks[:5]] == [
        "like the mood: sad music",
        "like the mood: sad music",
        "one step brighter: calm music",
        "stays with calm music",
        "one step brighter: happy music",
    ]
    valences = [pick.features.valence for pick in picks]
    assert valences == sorted(valences)


@pytest.mark.parametrize(
    ("counts", "length", "moods"),
    [
        (((Mood.SAD, 9), (Mood.CALM, 9), (Mood.HAPPY, 1)), 8, [Mood.SAD] * 2 + [Mood.CALM] * 5 + [Mood.HAPPY]),
        (((Mood.SAD, 9), (Mood.HAPPY, 9)), 4, [Mood.SAD] * 2 + [Mood.HAPPY] * 2),
        (((Mood.SAD, 9), (Mood.CALM, 9), (Mood.HAPPY, 9)), 3, [Mood.SAD] * 2 + [Mood.CALM]),
        (((Mood.SAD, 5),), 8, [Mood.SAD] * 5),
    ],
)
def test_a_step_without_songs_enough_leaves_its_place_to_another(counts, length, moods):
    picks = make_playlist(Mood.SAD, of_moods(*counts), Preferences(goal="lift", length=length)).picks
    assert [pick.mood for pick in picks] == moods


def test_a_step_that_is_left_out_is_not_called_one_step():
    picks = make_playlist(Mood.SAD, of_moods((Mood.SAD, 2), (Mood.HAPPY, 2)), Preferences(goal="lift")).picks
    assert picks[2].reasons[0] == "brighter: happy music"


def test_a_song_of_two_moods_comes_for_the_one_that_it_fits_better():
    pool = {Mood.CALM: [candidate(1, fit=0.3), candidate(2)], Mood.HAPPY: [candidate(1, fit=0.8)]}
    playlist = make_playlist(Mood.CALM, pool, Preferences(goal="lift"))
    assert [(pick.track.uri, pick.mood) for pick in playlist.picks] == [("spotify:track:2", Mood.CALM), ("spotify:track:1", Mood.HAPPY)]
    assert playlist.left_out == {}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_match_stays_flat(seed):
    rng = Random(seed)
    pool = [candidate(number, artist=f"artist {number % 12}", energy=rng.random(), valence=rng.random(), fit=rng.uniform(0.5, 1)) for number in range(80)]
    assert abs(slope(make_playlist(Mood.HAPPY, pool, Preferences(length=20)))) < 0.3


def test_the_course_holds_for_a_catalogue_that_is_loud_throughout():
    pool = [candidate(number, energy=0.9 + number / 500) for number in range(40)]
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


@pytest.mark.parametrize(("goal", "words"), [("lift", ("valence 0.00", "rises to valence")), ("calm", ("begins high with energy 0.95", "falls to energy"))])
def test_the_course_is_said(goal, words):
    pool = [candidate(number, energy=number / 20, valence=number / 20) for number in range(20)]
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
