from dataclasses import replace

import pytest

from moodify.errors import DataError
from moodify.skin.record import Trait
from moodify.skin.rendering import Skin, View
from moodify.skin.validation import CAUSES, LOOKS, Following, following, over_tones, repeated, unmoved

#: What a cause may move fields that are not its own, in points, beyond what physics makes of it (melanin reddens and hides shine; blood darkens).
HARDLY = 4.0
EXPECTED = {("blood", Trait.TONE): 9.0, ("melanin", Trait.REDNESS): 40.0, ("melanin", Trait.OILINESS): 14.0}


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
def test_each_index_follows_its_cause_and_hardly_the_others(cause):
    found = following(cause)
    assert found.is_monotonic
    assert found.swing(found.follows) > 25
    for trait in set(Trait) - {found.follows}:
        assert found.swing(trait) < EXPECTED.get((cause, trait), HARDLY), trait


@pytest.mark.slow
@pytest.mark.parametrize("cause", ["oil", "roughness"])
@pytest.mark.parametrize("melanin", [0.1, 2.2])
def test_shine_and_texture_follow_their_causes_on_the_lightest_and_the_darkest_skin_without_a_card(cause, melanin):
    assert following(cause, skin=replace(Skin(oil=0.3), melanin=melanin), view=View(card=None)).is_monotonic


@pytest.mark.parametrize("what", ["lamp", "noise", "pores' places"])
def test_lamp_noise_and_chance_hardly_move_anything(what):
    assert all(points < HARDLY for points in unmoved(what).values())


@pytest.mark.slow
def test_blood_reddens_dark_skin_as_it_does_light_skin():
    light, dark = over_tones(0.1), over_tones(2.2)
    assert dark["redness gained"] == pytest.approx(light["redness gained"], rel=0.1)
    assert dark["tone"] < light["tone"]


def test_what_is_not_measured_is_not_monotonic_and_swings_without_end():
    found = Following("oil", Trait.OILINESS, ((0.0, dict.fromkeys(Trait, 1.0)), (1.0, dict.fromkeys(Trait))))
    assert not found.is_monotonic
    assert found.swing(Trait.TONE) == float("inf")


@pytest.mark.parametrize("levels", [(1.0, 3.0, 2.0), (1.0, 1.0, 2.0)])
def test_what_turns_or_stands_still_is_not_monotonic(levels):
    found = Following("oil", Trait.OILINESS, tuple((float(step), dict.fromkeys(Trait, level)) for step, level in enumerate(levels)))
    assert not found.is_monotonic


@pytest.mark.slow
def test_relit_and_resized_people_are_measured_alike(shared_data):
    figures, count = repeated(shared_data, most=3)
    assert count == 3
    for trait in (Trait.OILINESS, Trait.TEXTURE):
        assert figures[f"{trait} within"] < 4


def test_data_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match=r"people\.jsonl"):
        repeated(tmp_path)


def test_the_card_shows_the_figures_that_the_command_prints(project_root):
    card = (project_root / "docs" / "skin-card.md").read_text()
    found = following("blood")
    assert ", ".join(f"{levels[Trait.REDNESS]:.1f}" for _, levels in found.levels) in card
    assert all(what in card for what in LOOKS)
