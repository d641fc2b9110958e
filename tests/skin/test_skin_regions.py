import json

import cv2
import numpy as np
import pytest
from faces import STRAIGHT, moved, tilted

from moodify.skin.regions import MIN_EYES_PX, Region, mask, polygons, unfit
from moodify.skin.shine import MIN_PIXELS
from moodify.types import Landmarks, NotJudged, Point


def middle(polygon):
    return np.mean(polygon, axis=0)


def holds(polygon, point):
    return cv2.pointPolygonTest(np.array(polygon, np.float32), (float(point[0]), float(point[1])), measureDist=False) >= 0


def test_every_region_has_its_place_on_a_straight_face():
    x, y = {}, {}
    for region, polygon in polygons(STRAIGHT).items():
        x[region], y[region] = middle(polygon)
    assert set(x) == set(Region)
    assert y[Region.FOREHEAD] < 150 < y[Region.NOSE] < 250 < y[Region.CHIN]
    assert x[Region.RIGHT_CHEEK] < 165 < x[Region.NOSE] < 235 < x[Region.LEFT_CHEEK]  # the person's right is on the left of the picture
    assert 150 < y[Region.RIGHT_CHEEK] == y[Region.LEFT_CHEEK] < 250


def test_a_straight_face_has_regions_alike_on_both_sides():
    regions = polygons(STRAIGHT)
    assert [complex(400 - x, y) for x, y in regions[Region.RIGHT_CHEEK]] == pytest.approx([complex(*corner) for corner in regions[Region.LEFT_CHEEK]])


def test_regions_are_convex_and_do_not_touch_one_another():
    drawn = np.zeros((400, 400), int)
    for polygon in polygons(STRAIGHT).values():
        assert cv2.isContourConvex(np.array(polygon, np.float32))
        drawn += mask(polygon, 400, 400)
    assert drawn.max() == 1


@pytest.mark.parametrize("factor", [0.7, 2.5, 0.8 + 0.6j, -1j])
def test_regions_move_with_the_face(factor):
    there = polygons(moved(STRAIGHT, factor=factor, offset=40 - 70j))
    for region, polygon in polygons(STRAIGHT).items():
        expected = [factor * complex(*corner) + 40 - 70j for corner in polygon]
        assert [complex(*corner) for corner in there[region]] == pytest.approx(expected)


def test_the_nose_follows_its_own_landmark():
    before = polygons(STRAIGHT)
    after = polygons(STRAIGHT._replace(nose=Point(212, 214)))
    assert after[Region.NOSE] != before[Region.NOSE]
    assert holds(after[Region.NOSE], (212, 214))
    assert all(after[region] == before[region] for region in Region if region != Region.NOSE)


def test_a_straight_face_is_fit_however_it_is_tilted():
    assert unfit(STRAIGHT) is None
    assert unfit(tilted(STRAIGHT, 0.5)) is None


def test_a_face_is_too_small_just_below_the_limit():
    assert unfit(moved(STRAIGHT, factor=MIN_EYES_PX / 100)) is None
    assert unfit(moved(STRAIGHT, factor=0.99 * MIN_EYES_PX / 100)) is NotJudged.TOO_SMALL
    assert unfit(Landmarks(*[Point(5, 5)] * 5)) is NotJudged.TOO_SMALL


@pytest.mark.parametrize("nose", [Point(225, 208), Point(175, 208), Point(200, 190), Point(200, 228)])
def test_a_face_whose_nose_points_elsewhere_is_turned_away(nose):
    assert unfit(STRAIGHT._replace(nose=nose)) is NotJudged.TURNED_AWAY


@pytest.mark.parametrize("mouth_y", [150, 100, 215, 305])
def test_a_face_foreshortened_or_flat_is_turned_away(mouth_y):
    face = STRAIGHT._replace(nose=Point(200, 150 + 0.58 * (mouth_y - 150)), right_mouth=Point(165, mouth_y), left_mouth=Point(235, mouth_y))
    assert unfit(face) is NotJudged.TURNED_AWAY


@pytest.mark.parametrize("face", [STRAIGHT._replace(right_mouth=Point(165, 150), left_mouth=Point(235, 150)), Landmarks(*[Point(5, 5)] * 5)])
def test_what_is_no_face_has_no_regions(face):
    with pytest.raises(ValueError, match="on one line"):
        polygons(face)


def test_a_mask_has_the_polygons_area_and_place():
    square = (Point(2, 3), Point(8, 3), Point(8, 7), Point(2, 7))
    drawn = mask(square, 12, 10)
    assert drawn.shape == (10, 12)
    assert drawn[3:7, 2:8].all()
    assert 24 <= drawn.sum() <= 35  # up to a pixel of edge


def test_a_mask_ends_at_the_picture():
    assert mask((Point(-50, -50), Point(50, -50), Point(50, 50), Point(-50, 50)), 20, 10).all()
    assert not mask((Point(-50, -50), Point(-10, -50), Point(-10, -10)), 20, 10).any()


def test_every_region_of_the_smallest_fit_face_has_pixels_enough_to_measure():
    smallest = moved(STRAIGHT, factor=MIN_EYES_PX / 100)
    assert min(mask(polygon, 400, 400).sum() for polygon in polygons(smallest).values()) >= MIN_PIXELS


def fit_faces(folder, name):
    """Unmasked faces of which the teacher is sure, enlarged so that size does not matter: box, landmarks and the 68 points where people set them."""
    zoom = 60
    for line in (folder / "detection" / name).read_text().splitlines():
        record = json.loads(line)
        for x0, y0, x1, y1, score, *points in record["teacher"] if not record.get("masked") else ():
            landmarks = Landmarks(*(Point(zoom * x, zoom * y) for x, y in zip(points[::2], points[1::2], strict=True)))
            if score >= 0.8 and unfit(landmarks) is None:
                hand_set = record.get("landmarks68") if len(record["teacher"]) == 1 else None
                yield zoom * np.array([x0, y0, x1, y1]), landmarks, None if hand_set is None else zoom * np.reshape(hand_set, (68, 2))


def test_regions_lie_within_the_detectors_box_for_95_of_100_faces(shared_data):
    within = [
        all((box[:2] <= corner).all() and (corner <= box[2:]).all() for polygon in polygons(landmarks).values() for corner in polygon)
        for name in ("faces.jsonl", "people.jsonl")
        for box, landmarks, _ in fit_faces(shared_data, name)
    ]
    assert len(within) > 2000
    assert np.mean(within) >= 0.95


def test_regions_keep_clear_of_brows_eyes_nose_and_mouth_for_94_of_100_faces(shared_data):
    clear = {region: [] for region in Region if region != Region.NOSE}
    for _, landmarks, hand_set in fit_faces(shared_data, "faces.jsonl"):
        if hand_set is not None:
            regions = polygons(landmarks)
            for region, found in clear.items():
                found.append(not any(holds(regions[region], point) for point in hand_set[17:]))
    assert all(len(found) > 500 for found in clear.values())
    assert {region: np.mean(found) for region, found in clear.items() if np.mean(found) < 0.94} == {}
