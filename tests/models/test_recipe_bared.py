"""Bare faces in the place of masked ones, and scenes made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

RECIPE = Path(__file__).resolve().parents[2] / "models"
DRAWS = 40
STREET, SKIN = (180, 120, 90), 130
MASK = (0, 0, 255)
#: Right eye, left eye, nose, right and left corner of the mouth, in the donor.
POINTS = np.array([[50, 45], [70, 45], [60, 55], [52, 68], [68, 68]], np.float32)


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(RECIPE)
    from recipe.detector.bared import Donors, bared
    from recipe.detector.data import Picture, Pictures
    from recipe.detector.scenes import SceneBatches

    return SimpleNamespace(Donors=Donors, bared=bared, Picture=Picture, Pictures=Pictures, SceneBatches=SceneBatches)


def picture(recipe, colour, boxes, masked, shape=(120, 160)):
    pixels = np.empty((*shape, 3), np.uint8)
    pixels[:] = colour
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return recipe.Picture("drawn", pixels, boxes, np.full((len(boxes), 5, 2), np.nan, np.float32), np.zeros(len(boxes), bool), np.array(masked, bool))


def street(recipe, *boxes):
    """A street picture whose people are blue masks from the nose down."""
    made = picture(recipe, STREET, boxes, [True] * len(boxes))
    for x0, y0, x1, y1 in np.maximum(made.boxes, 0).astype(int):
        made.pixels[(y0 + y1) // 2 : y1, x0:x1] = MASK
    return made


def portrait(recipe, dots=()):
    made = picture(recipe, SKIN, [[40, 30, 80, 80]], [False])
    made.landmarks[0] = POINTS
    for i in dots:
        x, y = POINTS[i].astype(int)
        made.pixels[y - 3 : y + 4, x - 3 : x + 4] = 255
    return made


def replaced(recipe, before, donors, count=DRAWS):
    done = [recipe.bared(before, donors, np.random.default_rng(seed)) for seed in range(count)]
    assert any((~each.masked).any() for each in done)
    return done


def test_a_bare_face_has_the_place_and_size_of_the_masked_one(recipe):
    before, donors = street(recipe, [20, 20, 40, 45], [100, 50, 130, 90]), recipe.Donors([([portrait(recipe)], 1.0)])
    changed = 0
    for done in replaced(recipe, before, donors):
        for i in np.flatnonzero(~done.masked):
            changed += 1
            old, new = before.boxes[i], done.boxes[i]
            assert np.abs((new[:2] + new[2:]) / 2 - (old[:2] + old[2:]) / 2).max() <= 1
            assert np.prod(new[2:] - new[:2]) == pytest.approx(np.prod(old[2:] - old[:2]), rel=0.1)
        for i in np.flatnonzero(done.masked):
            assert (done.boxes[i] == before.boxes[i]).all()
            assert np.isnan(done.landmarks[i]).all()
    assert 0.45 < changed / (2 * DRAWS) < 0.75


def test_no_mask_stays_in_sight(recipe):
    before, donors = street(recipe, [40, 30, 80, 80]), recipe.Donors([([portrait(recipe)], 1.0)])
    for done in replaced(recipe, before, donors):
        if not done.masked[0]:
            red, _, blue = done.pixels[30:80, 40:80].astype(int).transpose(2, 0, 1)
            assert (blue > red + 60).mean() < 0.1  # the corners of a box are no face


@pytest.mark.parametrize("dot", range(5))
def test_landmarks_lie_where_they_are_seen(recipe, dot):
    before, donors = street(recipe, [40, 30, 90, 95]), recipe.Donors([([portrait(recipe, [dot])], 1.0)])
    seen = 0
    for done in replaced(recipe, before, donors):
        if done.masked[0]:
            continue
        x0, y0, x1, y1 = done.boxes[0].astype(int)
        grey = done.pixels[y0:y1, x0:x1].astype(float).sum(2)
        ys, xs = np.nonzero(grey > grey.min() + 0.7 * (grey.max() - grey.min()))
        assert np.abs(done.landmarks[0, dot] - [x0 + xs.mean(), y0 + ys.mean()]).max() < 2.5
        seen += 1
    assert seen


def test_the_pictures_that_were_read_stay_as_they_are(recipe):
    before, donor = street(recipe, [20, 20, 60, 70]), portrait(recipe)
    kept = [array.copy() for each in (before, donor) for array in (each.pixels, each.boxes, each.landmarks, each.masked, each.ignored)]
    done = replaced(recipe, before, recipe.Donors([([donor], 1.0)]))
    assert any((each.pixels != before.pixels).any() for each in done)
    now = [array for each in (before, donor) for array in (each.pixels, each.boxes, each.landmarks, each.masked, each.ignored)]
    for ours, theirs in zip(kept, now, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bare_and_tiny_faces_are_left_alone(recipe):
    before = picture(recipe, STREET, [[20, 20, 60, 70], [100, 20, 105, 26]], [False, True])
    donors = recipe.Donors([([portrait(recipe)], 1.0)])
    for seed in range(DRAWS):
        done = recipe.bared(before, donors, np.random.default_rng(seed))
        assert (done.pixels == before.pixels).all()
        assert done.masked.tolist() == [False, True]


def test_a_face_at_the_edge_ends_where_the_picture_ends(recipe):
    before, donors = street(recipe, [-10, -12, 30, 38], [140, 90, 170, 130]), recipe.Donors([([portrait(recipe)], 1.0)])
    for done in replaced(recipe, before, donors):
        changed = done.boxes[~done.masked]
        assert (changed[:, 2:] > changed[:, :2]).all()
        assert (changed >= 0).all()
        assert (changed <= [160, 120, 160, 120]).all()


def test_a_grey_face_takes_on_the_colour_of_the_place(recipe):
    before, donors = street(recipe, [40, 30, 100, 100]), recipe.Donors([([portrait(recipe)], 1.0)])
    tints = []
    for done in replaced(recipe, before, donors):
        if not done.masked[0]:
            red, _, blue = done.pixels[70:85, 60:80].reshape(-1, 3).mean(0)  # where the mask was
            tints.append(red / blue)
    assert np.mean(np.array(tints) > 1.2) > 0.6


def test_a_neighbour_that_is_drawn_over_is_neither_face_nor_background(recipe):
    before = street(recipe, [40, 30, 90, 90], [60, 50, 100, 95])
    ignored = 0
    for done in replaced(recipe, before, recipe.Donors([([portrait(recipe)], 1.0)])):
        if done.masked.tolist() == [False, True]:
            assert done.ignored.tolist() == [False, True]
            ignored += 1
    assert ignored


def test_coarse_masked_ignored_and_cut_off_faces_are_no_donors(recipe):
    coarse = picture(recipe, SKIN, [[10, 10, 20, 22]], [False])
    masked = picture(recipe, SKIN, [[40, 30, 80, 80]], [True])
    unsure = replace(portrait(recipe), ignored=np.array([True]))
    cut_off = picture(recipe, SKIN, [[-30, 30, 20, 80]], [False])
    assert not recipe.Donors([([masked, unsure], 1.0), ([], 1.0)])
    rng = np.random.default_rng(0)
    for one in (coarse, cut_off):
        assert recipe.Donors([([one], 1.0)]).draw(40.0, rng) is None
    assert recipe.Donors([([coarse, cut_off], 0.5), ([portrait(recipe)], 0.5)]).draw(40.0, rng) is not None


def test_scenes_are_made_of_few_pictures_without_any_bare_or_cut_out_face(recipe):
    masked = [picture(recipe, STREET, [[40, 30, 80, 80]], [True])]
    room = [picture(recipe, 90, [], [])]
    maker = recipe.SceneBatches(recipe.Pictures(people=masked, faces=masked, masks=masked, negatives=room), 12, 192, 160, [])
    out = {name: np.zeros(field.shape, field.dtype) for name, field in maker.fields.items()}
    maker.fill(out, np.random.default_rng(1))
    assert out["pixels"].std() > 0
    assert (out["kinds"] == 1).any()


def test_of_faces_that_lie_over_each_other_the_one_on_top_stays_a_face(recipe):
    before = street(recipe, [40, 30, 90, 90], [60, 50, 100, 95])
    both = [each for each in replaced(recipe, before, recipe.Donors([([portrait(recipe)], 1.0)])) if not each.masked.any()]
    assert both
    assert all(each.ignored.tolist() == [True, False] for each in both)
