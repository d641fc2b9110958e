import numpy as np
import pytest
from patches import DARK, LIGHT, SIDE, TANNED, WHOLE, a_patch

from moodify.skin.measure import Measure
from moodify.skin.shine import highlights

GLOSS = (0.12, 0.16, 0.2, 0.3, 0.4, 0.6, 0.8)


def shine(pixels, mask):
    """Return the share of the region that shines, in percent, or why it can't be told."""
    found = highlights(pixels, mask)
    return found if isinstance(found, Measure) else Measure.of(100 * found.share)


def index(gloss, *, mask=WHOLE, **look):
    measure = shine(a_patch(gloss, **look), mask)
    assert measure.reason is None
    return measure.value


@pytest.mark.parametrize("skin", [LIGHT, TANNED, DARK])
@pytest.mark.parametrize("roughness", [12.0, 24.0, 80.0])
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_the_index_grows_with_the_highlight(skin, roughness, noise):
    values = [index(gloss, skin=skin, roughness=roughness, noise=noise) for gloss in GLOSS]
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert values[-1] > values[0] + 5


@pytest.mark.parametrize("skin", [LIGHT, TANNED, DARK])
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_skin_without_a_highlight_does_not_shine_however_it_is_lit(skin, noise):
    assert index(0.0, skin=skin, noise=noise) < 1


@pytest.mark.parametrize("exposure", [0.3, 0.5, 0.8, 1.25, 1.5])
@pytest.mark.parametrize("gloss", [0.0, 0.15, 0.3, 0.6])
def test_the_index_hardly_reacts_to_brightness(gloss, exposure):
    assert index(gloss, exposure=exposure) == pytest.approx(index(gloss), abs=1)


@pytest.mark.parametrize("lamp", [(1.0, 0.8, 0.55), (0.85, 0.95, 1.0)])
def test_the_index_grows_with_the_highlight_under_coloured_light_too(lamp):
    values = [index(gloss, lamp=lamp) for gloss in (0.2, 0.3, 0.4, 0.6, 0.8)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 5


def test_a_highlight_over_more_than_half_of_the_region_still_counts():
    assert index(0.8, roughness=4.0, exposure=0.5) > 50


def test_what_lies_outside_the_region_does_not_count():
    lit = a_patch(0.6)
    dull = np.zeros((SIDE, SIDE), np.bool_)
    dull[70:, :40] = True
    alone = shine(lit, dull).value
    around = lit.copy()
    around[~dull] = 255
    assert shine(around, dull).value == alone < 1


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        ({"exposure": 2.5}, "too bright; turn away from the light"),
        ({"exposure": 0.01}, "too dark; turn on a light"),
        ({"skin": (0.3, 0.3, 0.3)}, "no colour; use a colour camera"),
    ],
)
def test_a_picture_that_cannot_tell_says_why_instead_of_a_number(look, reason):
    measure = shine(a_patch(0.3, **look), WHOLE)
    assert measure.value is None
    assert reason in measure.reason


def test_a_region_of_few_pixels_is_not_measured():
    few = np.zeros((SIDE, SIDE), np.bool_)
    few[:10, :19] = True
    assert "come closer" in shine(a_patch(0.3), few).reason


def test_a_mask_of_another_picture_is_refused():
    with pytest.raises(ValueError, match="do not belong together"):
        shine(a_patch(0.3), np.ones((10, 10), np.bool_))
