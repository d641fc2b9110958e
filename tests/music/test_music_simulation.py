"""Simulated households: what learning is worth in them, and where it is worth nothing."""

from random import Random

import numpy as np
import pytest

from moodify.errors import CannotWork
from moodify.music.simulation.drawing import check_drawable, draw
from moodify.music.simulation.households import ARCHETYPES, Household
from moodify.music.simulation.trial import WAYS, band, bands, try_out
from moodify.music.song import Outcome

RUNS, PLAYS = 8, 240
#: Where there is next to nothing to learn, learning may cost this share of a song in each play at most.
MARGIN = 0.01


@pytest.fixture(scope="module")
def trials():
    return {name: list(try_out(kind, runs=RUNS, plays=PLAYS, seed=3))[-1] for name, kind in ARCHETYPES.items()}


@pytest.mark.parametrize("name", [name for name, kind in ARCHETYPES.items() if kind.has_taste])
def test_where_there_is_taste_learning_has_less_regret_than_chance(trials, name):
    assert trials[name].saved("chance").low > 0


@pytest.mark.parametrize("name", [name for name, kind in ARCHETYPES.items() if not kind.has_taste])
@pytest.mark.parametrize("way", ["chance", "playlist"])
def test_where_there_is_none_learning_costs_next_to_nothing(trials, name, way):
    assert trials[name].saved(way).low > -MARGIN * PLAYS


def test_there_are_households_of_both_kinds():
    assert {kind.has_taste for kind in ARCHETYPES.values()} == {True, False}


def test_the_curve_of_chance_goes_straight_on_and_that_of_learning_bends(trials):
    halves = {way: trials["picky"].regret[way].mean(axis=0) for way in WAYS}
    later = {way: (curve[-1] - curve[PLAYS // 2]) / curve[PLAYS // 2] for way, curve in halves.items()}
    assert later["learned"] < 0.9 < later["chance"]


def test_a_change_of_taste_costs_and_is_learned_again(trials):
    curve = trials["changing"].regret["learned"].mean(axis=0)
    before, just_after = curve[PLAYS // 2 - 1] - curve[PLAYS // 2 - 41], curve[PLAYS // 2 + 39] - curve[PLAYS // 2 - 1]
    assert just_after > before


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another(trials):
    again = list(try_out(ARCHETYPES["couple"], runs=RUNS, plays=PLAYS, seed=3))[-1]
    other = list(try_out(ARCHETYPES["couple"], runs=RUNS, plays=PLAYS, seed=4))[-1]
    assert np.array_equal(again.regret["learned"], trials["couple"].regret["learned"])
    assert not np.array_equal(other.regret["learned"], again.regret["learned"])


def test_progress_is_told_after_each_run():
    assert [trial is None for trial in try_out(ARCHETYPES["picky"], runs=2, plays=5, seed=1)] == [True, True, False]


@pytest.mark.parametrize("kind", ARCHETYPES.values(), ids=list(ARCHETYPES))
def test_a_household_keeps_what_its_equations_say(kind):
    household, rng = Household(kind, Random(1)), Random(2)
    song = household.candidates[0]
    outcomes = [household.hear(song, rng) for _ in range(4000)]
    assert np.mean([outcome in {Outcome.HEARD, Outcome.LIKED} for outcome in outcomes]) == pytest.approx(household.chance(song), abs=0.03)
    assert set(outcomes) == set(Outcome)


def test_only_one_kind_changes_its_taste():
    changed = []
    for name, kind in ARCHETYPES.items():
        household = Household(kind, Random(1))
        before = [household.chance(song) for song in household.candidates]
        household.change()
        changed += [name] if [household.chance(song) for song in household.candidates] != before else []
    assert changed == ["changing"]


def test_two_who_are_together_keep_what_both_would_keep():
    household = Household(ARCHETYPES["couple"], Random(1))
    for song in household.candidates:
        one, other = household._kept[song.track.uri]
        assert household.chance(song) <= (one + other) / 2


def test_a_band_holds_the_mean_and_narrows_with_more_runs():
    rng = np.random.default_rng(1)
    widths = []
    for runs in (8, 80):
        found = band(rng.normal(5, 1, runs))
        assert found.low < found.mean < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


def test_of_one_run_the_band_is_the_curve_itself():
    low, high = bands(np.array([[1.0, 2.0, 3.0]]))
    assert (low.tolist(), high.tolist()) == ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])


def test_curves_are_drawn_as_a_picture(trials, tmp_path):
    pytest.importorskip("matplotlib", reason="data: matplotlib is not installed")
    file = tmp_path / "curves.png"
    draw(list(trials.values()), file)
    assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(("name", "said"), [("curves.pdf", "ends in .png"), ("nowhere/curves.png", "there is no folder")])
def test_what_cannot_be_drawn_to_is_said_first(tmp_path, name, said):
    pytest.importorskip("matplotlib", reason="data: matplotlib is not installed")
    with pytest.raises(CannotWork, match=said):
        check_drawable(tmp_path / name)
