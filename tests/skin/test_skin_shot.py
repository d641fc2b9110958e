import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from moodify.skin.card_finding import NO_CARD
from moodify.skin.colour import redness, skin_light, tone, typology_angle
from moodify.skin.light import to_lab, to_pixels
from moodify.skin.regions import Region, mask, polygons
from moodify.skin.rendering import Skin, View, render
from moodify.skin.shot import look_at
from moodify.skin.texture import MIN_EYES_PX, texture

SKIN, VIEW = Skin(oil=0.3), View(card=0)


def a_shot(view=VIEW, **skin):
    return look_at(*render(replace(SKIN, **skin), view))


@pytest.mark.parametrize(
    ("light", "lab"),
    [((1, 1, 1), (100, 0, 0)), ((0, 0, 0), (0, 0, 0)), ((1, 0, 0), (53.24, 80.09, 67.20)), ((0.2140, 0.2140, 0.2140), (53.39, 0, 0))],
)
def test_light_has_the_standards_lightness_and_colour(light, lab):
    assert to_lab(np.array(light)) == pytest.approx(lab, abs=0.02)


@pytest.mark.parametrize(("red", "green", "level"), [(0.4, 0.4, 0), (0.4, 0.2, 50.2), (0.4, 0.1006, 100)])
def test_redness_is_the_ratio_of_red_to_green_light(red, green, level):
    assert redness(np.array((red, green, 0.1))).value == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("light", [(0.2, 0.4, 0.2), (0.4, 0.01, 0.01), (0.0, 0.1, 0.1)])
def test_green_blue_and_pure_red_are_no_skin(light):
    assert "not those of skin" in redness(np.array(light)).reason


def test_tone_is_the_typology_angle():
    light = np.array((0.42, 0.24, 0.17))
    lightness, _, yellow = to_lab(light)
    assert typology_angle(light) == pytest.approx(math.degrees(math.atan((lightness - 50) / yellow)))
    assert tone(light).value == pytest.approx((typology_angle(light) + 90) / 1.8)
    assert tone(np.array((0.2, 0.2, 0.4))).value is None


def test_few_pixels_have_no_colour():
    assert skin_light(np.full((199, 3), 0.3)) is None
    assert skin_light(np.full((200, 3), 0.3)) == pytest.approx(0.3)


def test_everything_is_measured_with_a_card_and_enough_pixels():
    shot = a_shot()
    assert None not in (shot.oiliness.value, shot.texture.value, shot.redness.value, shot.tone.value)
    assert shot.card == 0
    assert shot.lighting.quality == 1


def test_redness_and_tone_are_the_rendered_skins():
    shot = a_shot()
    assert shot.redness.value == pytest.approx(redness(SKIN.light).value, abs=1)
    assert shot.tone.value == pytest.approx(tone(SKIN.light).value, abs=5)


def test_without_a_card_there_is_no_colour_but_shine_and_texture():
    shot = a_shot(replace(VIEW, card=None))
    assert shot.redness.reason == shot.tone.reason == NO_CARD
    assert shot.card is None
    assert shot.oiliness.value > 5
    assert shot.texture.value > 5


def test_below_the_gate_of_pixels_there_is_no_texture():
    assert "come closer" in a_shot(replace(VIEW, eyes_px=MIN_EYES_PX - 5)).texture.reason
    assert a_shot(replace(VIEW, eyes_px=MIN_EYES_PX)).texture.value is not None


#: A lamp that mirrors in a cheek.
ASIDE = replace(VIEW, lamp_from=(0.4, 0.2, 0.9))


def test_shine_is_the_t_zones_against_the_cheeks():
    assert a_shot(ASIDE, cheek_oil=0.3).oiliness.value < a_shot(ASIDE).oiliness.value - 3
    assert a_shot(ASIDE, oil=0.0, cheek_oil=0.4).oiliness.value == 0


def test_highlights_do_not_pale_the_colour():
    dull, shiny = a_shot(ASIDE, oil=0.0, cheek_oil=0.0), a_shot(ASIDE, oil=0.9, cheek_oil=0.9)
    assert shiny.redness.value == pytest.approx(dull.redness.value, abs=0.15)
    assert shiny.tone.value == pytest.approx(dull.tone.value, abs=3)


def painted(region, colour):
    pixels, landmarks = render(SKIN, VIEW)
    pixels[mask(polygons(landmarks)[region], pixels.shape[1], pixels.shape[0])] = colour
    return look_at(pixels, landmarks)


@pytest.mark.parametrize("colour", [(25, 20, 18), (40, 90, 160)])
def test_a_beard_or_a_mask_on_the_chin_is_left_out(colour):
    bare, bearded = a_shot(), painted(Region.CHIN, colour)
    assert bearded.oiliness.value == pytest.approx(bare.oiliness.value, abs=8)
    assert bearded.lighting.quality > 0.5


def test_a_fringe_takes_no_part_in_texture_and_tone():
    bare, fringed = a_shot(), painted(Region.FOREHEAD, (25, 20, 18))
    assert fringed.texture.value == pytest.approx(bare.texture.value, abs=5)
    assert fringed.tone.value == pytest.approx(bare.tone.value, abs=5)


def test_light_from_a_side_is_no_good_light():
    lit = a_shot(replace(VIEW, lamp_from=(0.9, -0.2, 0.3)))
    assert lit.lighting.even < 0.5
    assert lit.lighting.quality <= lit.lighting.even


@pytest.mark.parametrize(("exposure", "part"), [(0.02, "bright_enough"), (4.0, "not_too_bright")])
def test_darkness_and_glare_are_no_good_light(exposure, part):
    assert getattr(a_shot(replace(VIEW, exposure=exposure)).lighting, part) < 0.5


def grain(contrast, noise=0.0, size=1.5):
    rng = np.random.default_rng(3)
    field = cv2.GaussianBlur(rng.normal(size=(200, 200)).astype(np.float32), (0, 0), size)
    light = 0.25 * np.exp(contrast * field / field.std())[..., None] * np.array((1.0, 0.6, 0.45))
    return np.clip(np.rint(to_pixels(light) + rng.normal(0, noise, light.shape)), 0, 255).astype(np.uint8)


WHOLE = np.ones((200, 200), np.bool_)


def test_texture_grows_with_contrast():
    values = [texture(grain(contrast), [WHOLE], MIN_EYES_PX).value for contrast in (0, 0.01, 0.02, 0.04, 0.08, 0.12)]
    assert values == sorted(values)
    assert values[0] < 10
    assert values[-1] > 50


def test_noise_is_hardly_texture():
    assert texture(grain(0.03, noise=4), [WHOLE], MIN_EYES_PX).value == pytest.approx(texture(grain(0.03), [WHOLE], MIN_EYES_PX).value, abs=4)


def test_a_slope_of_light_is_no_texture():
    slope = to_pixels(np.linspace(0.1, 0.4, 200)[None, :, None] * np.ones((200, 1, 3)))
    assert texture(slope, [WHOLE], MIN_EYES_PX).value < 10


def test_texture_outside_the_regions_does_not_count():
    both = grain(0.0)
    both[:, 100:] = grain(0.12)[:, 100:]
    left = WHOLE.copy()
    left[:, 100:] = False
    assert texture(both, [left], MIN_EYES_PX).value < 12
    assert texture(both, [~left], MIN_EYES_PX).value > 50


def test_regions_too_small_or_dark_have_no_texture():
    few = np.zeros_like(WHOLE)
    few[:10, :10] = True
    for pixels, regions in ((grain(0.1), []), (grain(0.1), [few]), (np.zeros((200, 200, 3), np.uint8), [WHOLE])):
        assert "too little skin" in texture(pixels, regions, MIN_EYES_PX).reason
