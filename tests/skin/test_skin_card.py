import re

import cv2
import numpy as np
import pytest
from card_pictures import PRINT, card_picture

from moodify.skin.card import HEIGHT_MM, MARKER_MM, PATCH_MM, PATCHES, PRINTS, WIDTH_MM, marker_corners_mm, marker_ids, patch_corners_mm, patch_light
from moodify.skin.card_finding import NO_CARD, CardInView, find_card
from moodify.skin.card_pdf import card_pdf
from moodify.skin.light import to_lab, to_light, to_pixels

#: Skin that is on no patch, and how far its calibrated colour may be off (CIE 1976).
SKIN = np.array((0.42, 0.24, 0.17))


def a_card(**look):
    found = find_card(card_picture(**look))
    assert isinstance(found, CardInView), found
    return found


def error_on_skin(card, *, lamp=(1, 1, 1), exposure=0.8, power=1.0, mixing=None):
    seen = exposure * (SKIN @ np.array(mixing or np.eye(3)).T) ** power * np.array(lamp)
    return np.linalg.norm(to_lab(card.calibration.corrected(seen)) - to_lab(SKIN))


def test_nothing_on_the_card_lies_on_anything_else_or_beyond_its_edge():
    drawn = np.zeros((int(HEIGHT_MM), int(WIDTH_MM)), int)
    for corners in (*marker_corners_mm(), *patch_corners_mm(0)):
        (left, top), (right, bottom) = np.floor(corners[0]).astype(int), np.ceil(corners[2]).astype(int)
        assert (left, top) >= (1, 1)
        assert right < WIDTH_MM
        assert bottom < HEIGHT_MM
        drawn[top:bottom, left:right] += 1
    assert drawn.max() == 1


def test_every_print_has_markers_of_its_own():
    assert len({number for one in range(PRINTS) for number in marker_ids(one)}) == 4 * PRINTS
    for wrong in (-1, PRINTS):
        with pytest.raises(ValueError, match="no print"):
            card_pdf(wrong)


def test_the_greys_of_both_rows_are_the_same_the_other_way_round():
    greys = [patch.srgb for patch in PATCHES if patch.grey]
    assert greys == greys[::-1]


@pytest.mark.parametrize(
    ("lamp", "exposure", "power"),
    [((1, 1, 1), 0.8, 1.0), ((1, 0.7, 0.4), 0.8, 1.25), ((0.6, 0.8, 1), 0.8, 0.8), ((1, 0.7, 0.4), 0.2, 1.0), ((1, 1, 1), 0.2, 1.25)],
)
def test_skin_keeps_its_colour_under_any_lamp_exposure_and_tone_curve(lamp, exposure, power):
    look = {"lamp": lamp, "exposure": exposure, "power": power}
    card = a_card(**look)
    assert card.print_number == PRINT
    assert error_on_skin(card, **look) < 1.5


def test_a_camera_with_primaries_of_its_own_is_brought_nearer_to_the_truth():
    mixing = ((0.8, 0.15, 0.05), (0.1, 0.8, 0.1), (0.02, 0.18, 0.8))
    before = np.linalg.norm(to_lab(SKIN @ np.array(mixing).T) - to_lab(SKIN))
    assert before > 4
    assert error_on_skin(a_card(mixing=mixing), mixing=mixing) < before / 4


@pytest.mark.parametrize("look", [{"turn": 0.7}, {"nod": -0.7}, {"roll": 0.6}, {"roll": 3.1}, {"turn": 0.4, "nod": 0.4, "roll": -0.5}])
def test_the_card_is_found_in_perspective(look):
    assert error_on_skin(a_card(**look)) < 1.5


@pytest.mark.parametrize("look", [{"px": 1.0}, {"px": 2.6}, {"blur": 2.0}, {"px": 1.2, "blur": 1.2}, {"noise": 6.0}])
def test_the_card_is_found_small_blurred_and_noisy(look):
    assert error_on_skin(a_card(**look)) < 2


def test_a_thumb_may_lie_on_one_marker_but_not_on_two():
    assert a_card(cover=((75, 105), (0, 30))).print_number == PRINT
    assert find_card(card_picture(cover=((75, 105), (0, 148)))) == NO_CARD


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        ({"px": 0.3}, NO_CARD),
        ({"blur": 8.0}, NO_CARD),
        ({"exposure": 3.0}, "too bright"),
        ({"shade": 0.4}, "unevenly"),
        ({"power": 2.5}, "greys are not as they should be"),
        ({"mixing": ((0.3, 0.6, 0.1),) * 3}, "colours are not as they should be"),
    ],
)
def test_a_card_that_can_not_be_used_says_why(look, reason):
    found = find_card(card_picture(**look))
    assert isinstance(found, str)
    assert reason in found


def test_a_card_that_leaves_the_picture_says_so():
    found = find_card(np.ascontiguousarray(card_picture(px=2.2)[165:]))
    assert isinstance(found, str)


def test_there_is_no_card_where_there_is_none():
    assert find_card(np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)) == NO_CARD


class Page:
    """What a viewer draws of the PDF's rectangles, at 8 pixels a millimetre."""

    def __init__(self, pdf):
        per_point = 8 * 25.4 / 72
        self.pixels = np.full((297 * 8, 210 * 8, 3), 255, np.uint8)
        self.sides_mm = []
        colour = (0, 0, 0)
        for numbers, operator in re.findall(rb"^((?:[\d.]+ )+)(rg|re f)$", pdf, re.MULTILINE):
            values = [float(number) for number in numbers.split()]
            if operator == b"rg":
                colour = np.rint(255 * np.array(values))
                continue
            x, y, width, height = (value * per_point for value in values)
            rows, columns = slice(round(297 * 8 - y - height), round(297 * 8 - y)), slice(round(x), round(x + width))
            self.pixels[rows, columns] = colour
            self.sides_mm.append((values[2] * 25.4 / 72, values[3] * 25.4 / 72))


def test_the_pdf_draws_patches_and_markers_to_the_millimetre():
    sides = Page(card_pdf(0)).sides_mm
    assert sum(side == pytest.approx((PATCH_MM, PATCH_MM), abs=0.002) for side in sides) == len(PATCHES)
    assert sum(side == pytest.approx((MARKER_MM, MARKER_MM), abs=0.002) for side in sides) == 4


@pytest.mark.parametrize("number", [0, PRINTS - 1])
def test_the_card_that_the_pdf_draws_is_found_and_has_its_colours(number):
    small = cv2.resize(Page(card_pdf(number)).pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    found = find_card(small)
    assert isinstance(found, CardInView), found
    assert found.print_number == number
    assert found.calibration.delta_e < 0.5
    assert found.calibration.corrected(patch_light()) == pytest.approx(patch_light(), abs=0.02)


def test_the_pdf_is_a_whole_file_and_the_same_every_time():
    pdf = card_pdf(1)
    assert pdf == card_pdf(1) != card_pdf(2)
    assert pdf.startswith(b"%PDF-1.4")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1])
    assert pdf[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"^(\d{10}) 00000 n $", pdf, re.MULTILINE)]
    assert [pdf[place : place + 7] for place in places] == [b"%d 0 obj" % number for number in range(1, len(places) + 1)]
    length, content = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf, re.DOTALL).groups()
    assert len(content) == int(length)


def test_the_line_to_check_the_scale_is_100_mm_long():
    x0, _, x1, _ = (float(value) for value in re.search(rb"^([\d.]+) ([\d.]+) m ([\d.]+) ([\d.]+) l S$", card_pdf(0), re.MULTILINE).groups())
    assert (x1 - x0) * 25.4 / 72 == pytest.approx(100, abs=0.01)


def test_pixels_and_light_are_each_others_opposite():
    values = np.arange(256, dtype=np.uint8)
    assert (to_pixels(to_light(values)) == values).all()
