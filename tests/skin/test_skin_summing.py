import itertools
import math
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from looks import FIRST, GOOD, a_look, a_shot
from moodify.skin.advice import SEE_A_PROFESSIONAL, care
from moodify.skin.lighting import Lighting
from moodify.skin.measure import Measure
from moodify.skin.record import Condition, Trait
from moodify.skin.summing import summarise
from moodify.skin.trend import Direction, trend

#: Four looks that differ a little, as looks do.
USUAL = [a_look(day=day, oiliness=20 + wobble, texture=30 - wobble, redness=45 + wobble) for day, wobble in enumerate((-1, 0, 1, 0))]
NO_CARD = Measure.missing("no reference card in view; print one and hold it beside your face")


def test_a_level_is_the_median_over_the_shots_with_its_spread():
    record = a_look(a_shot(10.0), a_shot(14.0), a_shot(30.0))
    assert record.oiliness_level == 14
    assert record.spread[Trait.OILINESS] == pytest.approx(10.58, abs=0.01)
    assert record.spread[Trait.TEXTURE] == 0


def test_one_shot_may_fail_but_not_two():
    assert a_look(a_shot(), a_shot(), a_shot(redness=NO_CARD)).redness == 45
    record = a_look(a_shot(), a_shot(redness=NO_CARD), a_shot(redness=NO_CARD))
    assert record.redness is None
    assert record.reasons["redness"] == NO_CARD.reason


def test_colours_under_two_cards_are_not_mixed():
    record = a_look(a_shot(card=1), a_shot(card=1, redness=47.0), a_shot(card=2, redness=90.0))
    assert (record.card, record.redness) == (1, 46)


def test_confidence_falls_with_spread_and_with_bad_light():
    steady, wavering = a_look(), a_look(a_shot(10.0), a_shot(20.0), a_shot(30.0))
    dim = a_look(*[a_shot(lighting=replace(GOOD, bright_enough=0.6))] * 3)
    assert steady.confidence_score == 100
    assert wavering.confidence_score < 90
    assert dim.confidence_score == 60
    assert dim.confidence_parts == {"repeatability": 100, "light": 60}


def test_without_three_shots_there_is_no_confidence():
    record = a_look(a_shot(), a_shot())
    assert record.confidence_score is None
    assert "3 shots" in record.reasons["confidence_score"]


def test_a_look_needs_a_shot_and_a_time_zone():
    with pytest.raises(ValueError, match="at least one shot"):
        summarise([], looked_at=FIRST, duration_s=1)
    with pytest.raises(ValueError, match="looked_at"):
        summarise([a_shot()], looked_at=datetime(2026, 3, 1, 8, 0), duration_s=1)  # noqa: DTZ001 - the mistake


def test_without_earlier_looks_there_is_no_score_and_no_word():
    record = a_look(earlier=USUAL[:2], day=9)
    assert record.skin_score is None
    assert "usual is not known yet" in record.reasons["skin_score"]
    assert not record.conditions
    assert not record.against_usual


def test_as_usual_gives_50_and_says_so():
    record = a_look(day=9, earlier=USUAL)
    assert record.skin_score == 50
    assert set(record.skin_score_parts) == {Trait.OILINESS, Trait.TEXTURE, Trait.REDNESS}
    assert record.conditions == (Condition.AS_USUAL,)


@pytest.mark.parametrize(
    ("look", "condition"),
    [({"oiliness": 35.0}, Condition.SHINIER), ({"texture": 45.0}, Condition.COARSER), ({"redness": 60.0}, Condition.REDDER)],
)
def test_what_rises_above_its_usual_lowers_the_score_and_has_a_cosmetic_word(look, condition):
    record = a_look(day=9, earlier=USUAL, **look)
    assert record.skin_score == pytest.approx(50 - 2.5 * 15 / 3, abs=0.1)
    assert record.conditions == (condition,)


def test_tone_is_no_part_of_the_score():
    tanned = a_look(day=9, earlier=USUAL, tone=40.0)
    assert tanned.skin_score == 50
    assert tanned.against_usual[Trait.TONE].difference == -30


def test_a_rise_within_the_usual_spread_has_no_word():
    wide = [a_look(day=day, oiliness=value) for day, value in enumerate((10, 20, 30, 20, 15, 25))]
    assert a_look(day=9, earlier=wide, oiliness=28.0).conditions == (Condition.AS_USUAL,)
    assert a_look(day=9, earlier=USUAL, oiliness=28.0).conditions == (Condition.SHINIER,)


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ({"oiliness": 5.0}, (Condition.LESS_SHINY,)),
        ({"texture": 12.0}, (Condition.FINER,)),
        ({"redness": 60.0, "oiliness": 5.0}, (Condition.REDDER, Condition.LESS_SHINY)),
        ({"redness": 20.0}, (Condition.LESS_RED,)),
        ({"tone": 10.0}, (Condition.AS_USUAL,)),
    ],
)
def test_what_is_below_its_usual_is_not_said_to_be_as_usual(levels, words):
    record = a_look(day=9, earlier=USUAL, **levels)
    assert record.conditions == words
    assert care(record).recommendations


def test_a_score_wants_two_parts():
    record = a_look(day=9, earlier=USUAL, texture=Measure.missing("too few pixels of the face"), redness=NO_CARD)
    assert record.skin_score is None
    assert "too little was measured" in record.reasons["skin_score"]


def test_colours_of_another_print_and_textures_of_another_size_are_not_compared():
    other = a_look(day=9, earlier=USUAL, card=5, eyes_px=260.0)
    assert set(other.against_usual) == {Trait.OILINESS}
    without = a_look(day=9, earlier=USUAL, card=None, redness=NO_CARD, tone=NO_CARD)
    assert set(without.against_usual) == {Trait.TEXTURE}


def test_a_look_that_cannot_be_relied_on_is_no_part_of_the_usual():
    dark = Lighting(0.1, 1.0, 1.0, 1.0)
    doubtful = [a_look(a_shot(lighting=dark), a_shot(lighting=dark), a_shot(lighting=dark), day=day) for day in range(5)]
    assert {look.confidence_score for look in doubtful} == {10.0}
    assert not a_look(day=9, earlier=doubtful).against_usual
    assert a_look(day=9, earlier=[a_look(day=day) for day in range(5)]).against_usual


def test_the_usual_follows_the_last_dozen_looks():
    old = [a_look(day=day, oiliness=80.0) for day in range(20)]
    new = [a_look(day=30 + day, oiliness=10.0) for day in range(12)]
    assert a_look(day=60, earlier=[*new, *old], oiliness=10.0).against_usual[Trait.OILINESS].usual == 10


@pytest.mark.parametrize("oiliness", [20.0, 40.0])
def test_care_is_a_routine_with_sources_that_sends_to_a_professional(oiliness):
    said = care(a_look(day=9, earlier=USUAL, oiliness=oiliness))
    assert said.recommendations
    assert said.morning
    assert said.evening
    assert all(advice.text and advice.source for advice in (*said.recommendations, *said.morning, *said.evening))
    assert said.see_a_professional == SEE_A_PROFESSIONAL


def test_care_follows_what_stands_out():
    assert care(a_look(day=9, earlier=USUAL, oiliness=40.0)).morning != care(a_look(day=9, earlier=USUAL)).morning
    assert "dermatologist" in " ".join(advice.text for advice in care(a_look(day=9, earlier=USUAL, redness=70.0)).recommendations)
    assert not care(a_look()).recommendations


@pytest.mark.parametrize("illness", ["acne", "rosacea", "eczema", "dermatitis", "melanoma", "disease", "diagnos"])
def test_no_word_names_an_illness(illness):
    all_of_it = [care(a_look(day=9, earlier=USUAL, oiliness=70.0, texture=70.0, redness=80.0)), care(a_look(day=9, earlier=USUAL))]
    assert illness not in f"{all_of_it} {list(Condition)}".lower()


def rising(slope, count=8, **look):
    return [a_look(day=10 * number, oiliness=20 + slope * number / 3 + (-1) ** number * 0.3, **look) for number in range(count)]


def test_a_trend_is_points_in_30_days_with_an_interval():
    found = trend(rising(3.0), Trait.OILINESS)
    assert found.per_month == pytest.approx(3, abs=0.3)
    assert found.low < found.per_month < found.high
    assert found.direction is Direction.RISING
    assert trend(rising(-3.0), Trait.OILINESS).direction is Direction.FALLING


@pytest.mark.parametrize("count", [5, 6, 7])
def test_chance_makes_a_trend_of_one_order_in_forty_at_most_to_either_side(count):
    looks = {(day, level): a_look(day=day, oiliness=20.0 + level) for day in range(count) for level in range(count)}
    said = Counter(trend([looks[at] for at in enumerate(order)], Trait.OILINESS).direction for order in itertools.permutations(range(count)))
    assert 0 < said[Direction.RISING] == said[Direction.FALLING] <= math.factorial(count) / 40


def test_noise_is_no_trend():
    assert trend(rising(0.0), Trait.OILINESS).direction is Direction.STEADY


def test_one_odd_look_does_not_turn_a_trend():
    looks = rising(3.0)
    looks[3] = a_look(day=30, oiliness=90.0)
    assert trend(looks, Trait.OILINESS).direction is Direction.RISING


def test_looks_of_one_evening_make_no_trend():
    assert trend([a_look(day=number / 100, oiliness=20.0 + number) for number in range(8)], Trait.OILINESS) is None
    assert trend([a_look(day=number, oiliness=20.0 + number) for number in range(8)], Trait.OILINESS).looks == 8


def test_few_looks_or_looks_of_another_card_have_no_trend():
    assert trend([], Trait.REDNESS) is None
    assert trend(rising(3.0, count=4), Trait.OILINESS) is None
    assert trend([*rising(3.0, count=7, card=1), a_look(day=99, card=2)], Trait.REDNESS) is None


def test_a_look_by_a_clock_known_to_be_wrong_is_in_no_trend():
    looks = rising(3.0)
    for day in (-20_000, 999):
        # The last one has another card too: those of the trend are held against the last one whose date is believed.
        assert trend([*looks, a_look(day=day, oiliness=90.0, card=None, date_doubted=True)], Trait.OILINESS) == trend(looks, Trait.OILINESS)
