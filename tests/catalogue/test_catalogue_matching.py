"""Which songs fit a mood: ranks, not numbers, and something for each mood in any catalogue."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs_room import sound

from moodify.music.catalogue.matching import (
    ENOUGH,
    FLOOR,
    GOOD,
    MOST,
    OWN_FROM,
    POPULATION_ENERGY,
    POPULATION_VALENCE,
    Population,
    Quantiles,
    Ranks,
    Region,
    best,
    fit,
    in_words,
    matcher,
)
from moodify.types import FELT_MOODS, Mood

SHARES = st.floats(0, 1, allow_nan=False).map(lambda share: round(share, 6))


def skewed(count=2000, seed=7):
    """Return songs as energy and valence the way catalogues have them: energy high and skewed, both a little related."""
    rng = random.Random(seed)
    songs = []
    for _ in range(count):
        energy = rng.betavariate(4.2, 1.9)
        valence = min(max(0.35 * energy + 0.65 * rng.betavariate(1.9, 2.1), 0.0), 1.0)
        songs.append((energy, valence))
    return songs


def chosen(songs, mood):
    judge = matcher(mood, Quantiles.of(songs))
    return [number for _, number in best((judge(*song), number) for number, song in enumerate(songs))]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def test_the_sample_is_as_skewed_as_catalogues_are():
    energies = sorted(energy for energy, _ in skewed())
    assert energies[len(energies) // 2] == pytest.approx(0.72, abs=0.03)


def test_moods_choose_different_songs_of_a_skewed_catalogue():
    songs = skewed()
    by_mood = {mood: set(chosen(songs, mood)) for mood in FELT_MOODS}
    assert all(len(numbers) == MOST for numbers in by_mood.values())
    for one in FELT_MOODS:
        for other in FELT_MOODS:
            assert one is other or len(by_mood[one] & by_mood[other]) <= MOST // 20, (one, other)


def test_each_mood_sounds_as_it_feels():
    songs = skewed()
    energy = {mood: mean(songs[number][0] for number in chosen(songs, mood)) for mood in FELT_MOODS}
    valence = {mood: mean(songs[number][1] for number in chosen(songs, mood)) for mood in FELT_MOODS}
    middle = mean(energy for energy, _ in songs), mean(valence for _, valence in songs)
    assert all(energy[mood] > middle[0] for mood in (Mood.HAPPY, Mood.SURPRISED, Mood.ANGRY))
    assert all(energy[mood] < middle[0] for mood in (Mood.CALM, Mood.SAD))
    assert all(valence[mood] > middle[1] for mood in (Mood.HAPPY, Mood.SURPRISED, Mood.CALM))
    assert all(valence[mood] < middle[1] for mood in (Mood.SAD, Mood.ANGRY, Mood.TENSE))
    assert energy[Mood.ANGRY] > energy[Mood.TENSE] > energy[Mood.SAD]


def test_sad_people_are_given_no_happy_music():
    songs = skewed()
    happiest = sorted(range(len(songs)), key=lambda number: -songs[number][1])[: len(songs) // 3]
    assert not set(chosen(songs, Mood.SAD)) & set(happiest)


@pytest.mark.parametrize("distort", [lambda x: x**3, math.sqrt, lambda x: 0.6 + 0.4 * x, lambda x: math.log1p(20 * x) / 4])
def test_a_distorted_catalogue_gives_the_same_fits(distort):
    songs = skewed(300)
    bent = [(distort(energy), valence**2) for energy, valence in songs]
    for mood in FELT_MOODS:
        straight, warped = matcher(mood, Quantiles.of(songs)), matcher(mood, Quantiles.of(bent))
        assert [straight(*song) for song in songs] == [warped(*song) for song in bent]


@settings(deadline=None)
@given(st.lists(st.tuples(SHARES, SHARES), min_size=OWN_FROM, max_size=60), st.sampled_from(FELT_MOODS), st.integers(1, 5))
def test_a_rising_distortion_keeps_order_and_fit(songs, mood, power):
    # In whole millionths, so that the distortion can't make two values one.
    whole = [(round(energy * 1_000_000) ** power, round(valence * 1_000_000) ** power) for energy, valence in songs]
    straight, bent = matcher(mood, Quantiles.of(songs)), matcher(mood, Quantiles.of([(float(e), float(v)) for e, v in whole]))
    assert [straight(*song) for song in songs] == [bent(float(e), float(v)) for e, v in whole]


@settings(deadline=None)
@given(st.sampled_from(FELT_MOODS), SHARES, SHARES, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_fit_is_a_share_that_rises_all_the_way_to_the_centre(mood, valence, energy, steps):
    region = Region.of(mood)
    way = [region.fit(valence + step * (region.valence - valence), energy + step * (region.energy - energy)) for step in sorted(steps)]
    assert all(0 < one <= 1 for one in way)
    assert all(one <= other + 1e-12 for one, other in pairwise(way))
    assert region.fit(region.valence, region.energy) == 1.0


def could_avoid(mood, count):
    """Whether valence and energy can be so paired in a catalogue of ``count`` songs that no song is a candidate.

    A perfect matching of ranks of valence to ranks of energy that all lie below the floor, sought by augmenting paths (Kuhn).
    """
    region = Region.of(mood)
    ranks = [(place + 0.5) / count for place in range(count)]
    allowed = [[e for e in range(count) if region.fit(ranks[v], ranks[e]) < FLOOR] for v in range(count)]
    partner = {}

    def place(v, seen):
        for e in allowed[v]:
            if e not in seen:
                seen.add(e)
                if e not in partner or place(partner[e], seen):
                    partner[e] = v
                    return True
        return False

    return all(place(v, set()) for v in range(count))


@pytest.mark.parametrize("count", [OWN_FROM, 31, 37, 48, 75])
@pytest.mark.parametrize("mood", FELT_MOODS)
def test_however_energy_and_valence_are_paired_each_mood_has_a_song(mood, count):
    assert not could_avoid(mood, count)


def test_a_region_too_narrow_could_be_avoided(monkeypatch):
    monkeypatch.setattr("moodify.music.catalogue.matching.WIDTH", 0.1)
    assert could_avoid(Mood.HAPPY, OWN_FROM)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SHARES, SHARES), min_size=OWN_FROM, max_size=90, unique=True), st.sampled_from(FELT_MOODS))
def test_any_catalogue_of_thirty_different_songs_has_candidates(songs, mood):
    assert chosen(songs, mood)


@pytest.mark.parametrize("slope", [1, -1])
@pytest.mark.parametrize("mood", FELT_MOODS)
def test_songs_on_one_line_have_candidates_too(mood, slope):
    songs = [(number / 40, (number if slope > 0 else 40 - number) / 40) for number in range(40)]
    assert chosen(songs, mood)


def test_the_best_come_first_and_weak_ones_only_where_good_ones_are_too_few():
    ranked = best((fitting, str(fitting)) for fitting in [0.1, 0.3, 0.95, 0.5, 0.7])
    assert [fitting for fitting, _ in ranked] == [0.95, 0.7, 0.5, 0.3]
    many = best([(GOOD, number) for number in range(ENOUGH)] + [(GOOD - 0.01, "weak")])
    assert len(many) == ENOUGH
    assert [number for _, number in many] == list(range(ENOUGH))
    assert len(best((0.9, number) for number in range(MOST + 50))) == MOST


def test_few_songs_are_measured_against_the_population():
    few = Quantiles.of([(0.9, 0.9)] * (OWN_FROM - 1))
    assert not few.own
    assert few.energy(0.721) == few.valence(0.512) == 0.5
    # Half of the number range is the lower fifth of energy: the reason for quantiles.
    assert few.energy(0.5) < 0.22
    assert Quantiles.of([(0.9, 0.9)] * OWN_FROM).own


@settings(deadline=None)
@given(st.sampled_from([POPULATION_ENERGY, POPULATION_VALENCE]), SHARES, SHARES)
def test_the_population_rises_from_nothing_to_all(points, one, other):
    scale = Population(points)
    assert 0 <= scale(min(one, other)) <= scale(max(one, other)) <= 1
    assert scale(0.0) == 0
    assert scale(1.0) == 1


def test_equal_values_share_the_middle_of_their_ranks():
    assert [Ranks([0.2, 0.5, 0.5, 0.9])(value) for value in (0.1, 0.2, 0.5, 0.7, 0.9)] == [0, 0.125, 0.5, 0.75, 0.875]


def test_a_fit_is_said_in_words():
    quantiles = Quantiles.of(skewed())
    lively = fit(sound(0.85, 0.75), Mood.HAPPY, quantiles)
    assert lively >= GOOD
    assert in_words(lively) == "energy and valence fit"
    assert in_words(GOOD - 0.1) == "energy and valence come near"
    assert in_words(fit(sound(0.85, 0.75), Mood.SAD, quantiles)) == "energy and valence are another mood's"
