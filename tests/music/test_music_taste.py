"""What the household likes: beliefs, their bounds, forgetting and words."""

from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodify.music.song import Outcome
from moodify.music.taste import ARTISTS_MAX, HALF_LIFE_DAYS, OWN_PRIOR, SONGS_MAX, ThompsonTaste
from moodify.types import FELT_MOODS, Mood, Track

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARTISTS = ("Lantern Parade", "Paper Weather", "Ärger & Söhne")


def song(number, artist=None):
    return Track(f"spotify:track:{number}", f"Song {number}", ARTISTS[number % 3] if artist is None else artist, 200_000)


def taste(seed=1):
    return ThompsonTaste(Random(seed))


def household(*, skips):
    """A household of 100 plays of other music, of which it skipped that share."""
    learned = taste()
    for number in range(100):
        learned.learn(Mood.SAD, song(1000 + number, f"other {number}"), Outcome.SKIPPED if number < skips * 100 else Outcome.HEARD, NOW)
    return learned


plays = st.lists(
    st.tuples(st.sampled_from(FELT_MOODS), st.integers(0, 30).map(song), st.sampled_from(list(Outcome)), st.integers(0, 400)),
    max_size=60,
)


def after(played, seed=1):
    learned = taste(seed)
    for mood, track, outcome, day in played:
        learned.learn(mood, track, outcome, NOW + timedelta(days=day))
    return learned


@settings(max_examples=60, deadline=None)
@given(plays, st.sampled_from(FELT_MOODS), st.integers(0, 30).map(song))
def test_draws_and_means_lie_between_0_and_1(played, mood, track):
    learned = after(played)
    assert 0 < learned.mean(mood, track) < 1
    assert all(0 <= learned.draw(mood, track) <= 1 for _ in range(5))


@settings(max_examples=60, deadline=None)
@given(plays, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_draws(played, seed):
    one, other = after(played, seed), after(played, seed)
    assert [one.draw(Mood.HAPPY, song(number)) for number in range(20)] == [other.draw(Mood.HAPPY, song(number)) for number in range(20)]


@settings(max_examples=60, deadline=None)
@given(plays, st.sampled_from(FELT_MOODS), st.integers(0, 30).map(song), st.sampled_from([Outcome.LIKED, Outcome.HEARD]))
def test_what_speaks_for_a_song_never_lowers_it(played, mood, track, outcome):
    learned = after(played)
    today = NOW + timedelta(days=500)
    learned.date(today)
    before = learned.mean(mood, track)
    learned.learn(mood, track, outcome, today)
    assert learned.mean(mood, track) >= before - 1e-12


@settings(max_examples=60, deadline=None)
@given(plays, st.sampled_from(FELT_MOODS), st.integers(0, 30).map(song), st.sampled_from([Outcome.SKIPPED, Outcome.SKIPPED_ELSEWHERE]))
def test_what_speaks_against_a_song_never_raises_it(played, mood, track, outcome):
    learned = after(played)
    today = NOW + timedelta(days=500)
    learned.date(today)
    before = learned.mean(mood, track)
    learned.learn(mood, track, outcome, today)
    assert learned.mean(mood, track) <= before + 1e-12


@settings(max_examples=60, deadline=None)
@given(plays, st.sampled_from(FELT_MOODS), st.integers(0, 30).map(song))
def test_forgetting_goes_back_to_the_prior(played, mood, track):
    learned = after(played)
    learned.date(NOW + timedelta(days=400 + 40 * HALF_LIFE_DAYS))
    assert learned.mean(mood, track) == pytest.approx(OWN_PRIOR, abs=1e-6)
    assert learned.words(mood, track) is None


def test_evidence_halves_with_each_half_life():
    learned = taste()
    learned.learn(Mood.HAPPY, song(1), Outcome.LIKED, NOW)
    distances = []
    for halves in range(4):
        learned.date(NOW + timedelta(days=halves * HALF_LIFE_DAYS))
        distances.append(learned.moods[Mood.HAPPY].songs.popitem()[1].weight(learned.day))
        learned.learn(Mood.HAPPY, song(1), Outcome.LIKED, NOW)
    assert distances == pytest.approx([3.0, 1.5, 0.75, 0.375])


def test_a_song_is_judged_in_its_mood():
    learned = taste()
    before = learned.mean(Mood.SAD, song(1))
    for _ in range(5):
        learned.learn(Mood.HAPPY, song(1), Outcome.SKIPPED, NOW)
    assert learned.mean(Mood.HAPPY, song(1)) < 0.3
    # All that is left elsewhere is the household's rate.
    assert before - 0.2 < learned.mean(Mood.SAD, song(1)) < before


def test_a_new_song_is_believed_what_its_artists_others_were():
    learned = taste()
    for number in range(3):
        learned.learn(Mood.HAPPY, song(number, "Lantern Parade"), Outcome.SKIPPED, NOW)
        learned.learn(Mood.HAPPY, song(10 + number, "Paper Weather"), Outcome.LIKED, NOW)
    new = [learned.mean(Mood.HAPPY, song(99, artist)) for artist in ("Lantern Parade", "nobody heard before", "Paper Weather")]
    assert new == sorted(new)
    assert new[2] - new[0] > 0.2


def moved(learned):
    """How far one skip moves a new song, in spreads of its draws."""
    new = song(1, "new")
    draws = [learned.draw(Mood.HAPPY, new) for _ in range(2000)]
    learned.learn(Mood.HAPPY, new, Outcome.SKIPPED, NOW)
    return (fmean(draws) - learned.mean(Mood.HAPPY, new)) / pstdev(draws)


def test_a_skip_says_the_less_the_more_a_household_skips():
    said = [moved(household(skips=share)) for share in (0.05, 0.25, 0.5, 0.9)]
    assert said == sorted(said, reverse=True)
    assert said[0] > 1.5 * said[2]


def test_hearing_to_the_end_says_the_more_the_more_a_household_skips():
    raised = []
    for share in (0.05, 0.5, 0.9):
        learned = household(skips=share)
        before = learned.mean(Mood.HAPPY, song(1, "new"))
        learned.learn(Mood.HAPPY, song(1, "new"), Outcome.HEARD, NOW)
        raised.append(learned.mean(Mood.HAPPY, song(1, "new")) - before)
    assert raised == sorted(raised)


@pytest.mark.parametrize(("more", "less"), [(Outcome.LIKED, Outcome.HEARD), (Outcome.HEARD, Outcome.SKIPPED_ELSEWHERE), (Outcome.SKIPPED_ELSEWHERE, Outcome.SKIPPED)])
def test_outcomes_differ_in_what_they_say(more, less):
    means = []
    for outcome in (more, less):
        learned = taste()
        learned.learn(Mood.HAPPY, song(1), outcome, NOW)
        means.append(learned.mean(Mood.HAPPY, song(1)))
    assert means[0] > means[1]


def test_memory_is_bounded_and_keeps_what_says_most():
    learned = taste()
    for _ in range(5):
        learned.learn(Mood.HAPPY, song(0, "the favourite"), Outcome.LIKED, NOW)
    for number in range(1, 400):
        learned.learn(Mood.HAPPY, song(number, f"artist {number}"), Outcome.SKIPPED, NOW)
        assert learned.words(Mood.HAPPY, song(number, f"artist {number}")) == "you skipped it the last time"
    known = learned.moods[Mood.HAPPY]
    assert (len(known.songs), len(known.artists)) == (SONGS_MAX, ARTISTS_MAX)
    assert learned.words(Mood.HAPPY, song(0, "the favourite")) == "you liked it before"


def test_a_taste_that_changed_is_followed():
    learned = taste()
    for _ in range(300):
        learned.learn(Mood.HAPPY, song(1), Outcome.HEARD, NOW)
    assert learned.mean(Mood.HAPPY, song(1)) > 0.9
    for _ in range(30):
        learned.learn(Mood.HAPPY, song(1), Outcome.SKIPPED, NOW)
    assert learned.mean(Mood.HAPPY, song(1)) < 0.5


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([], None),
        ([(1, Outcome.LIKED)], "you liked it before"),
        ([(1, Outcome.HEARD)], "you heard it to its end the last time"),
        ([(1, Outcome.HEARD), (1, Outcome.HEARD)], "you heard it to its end the last two times"),
        ([(1, Outcome.LIKED), (1, Outcome.HEARD)], "you liked it before"),
        ([(1, Outcome.LIKED), (1, Outcome.SKIPPED)], "you skipped it the last time"),
        ([(1, Outcome.SKIPPED), (1, Outcome.HEARD)], "you heard it to its end the last time"),
        ([(2, Outcome.SKIPPED)], None),
        ([(2, Outcome.SKIPPED), (3, Outcome.SKIPPED_ELSEWHERE)], "you skipped the last two by Lantern Parade"),
        ([(2, Outcome.SKIPPED)] * 12, "you skipped the last ten by Lantern Parade"),
        ([(2, Outcome.LIKED)], "you liked other music by Lantern Parade"),
        ([(2, Outcome.HEARD), (3, Outcome.HEARD)], "you heard the last two by Lantern Parade to their end"),
    ],
)
def test_it_says_what_it_learned_and_only_that(outcomes, words):
    learned = taste()
    for number, outcome in outcomes:
        learned.learn(Mood.HAPPY, song(number, "Lantern Parade"), outcome, NOW)
    assert learned.words(Mood.HAPPY, song(1, "Lantern Parade")) == words
    assert learned.words(Mood.SAD, song(1, "Lantern Parade")) is None


def test_songs_without_an_artist_are_not_taken_for_one_anothers():
    learned = taste()
    for number in range(3):
        learned.learn(Mood.HAPPY, song(number, ""), Outcome.SKIPPED, NOW)
    assert learned.words(Mood.HAPPY, song(9, "")) is None


@pytest.mark.parametrize("mood", [Mood.UNSURE, Mood.ABSENT])
def test_where_nothing_is_felt_nothing_is_learned(mood):
    learned = taste()
    learned.learn(mood, song(1), Outcome.SKIPPED, NOW)
    assert (learned.version, learned.empty, learned.words(mood, song(1))) == (0, True, None)
    assert 0 < learned.draw(mood, song(1)) < 1


def test_a_reset_leaves_nothing():
    learned = household(skips=0.5)
    version = learned.version
    learned.forget()
    assert learned.empty
    assert learned.version > version
    assert learned.mean(Mood.SAD, song(1000, "other 0")) == pytest.approx(OWN_PRIOR)


def test_a_clock_that_was_ahead_ends_nothing():
    learned = taste()
    learned.learn(Mood.HAPPY, song(1), Outcome.LIKED, NOW)
    learned.learn(Mood.HAPPY, song(2), Outcome.LIKED, NOW + timedelta(days=20_000))
    learned.learn(Mood.HAPPY, song(3), Outcome.LIKED, NOW)
    assert [learned.words(Mood.HAPPY, song(number)) for number in (1, 2, 3)] == ["you liked it before"] * 3
