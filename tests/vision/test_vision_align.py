import cmath
import math

import cv2
import numpy as np
import pytest

from moodify.types import Image, Landmarks, PixelLayout, Point
from moodify.vision.align import Aligner, Framing, similarity

TEMPLATE = Landmarks(Point(16, 18), Point(32, 18), Point(24, 27), Point(18, 36), Point(30, 36))
FRAMING = Framing(48, TEMPLATE)


def placed(centre, scale, degrees):
    """The template's face somewhere in a picture."""
    turn = cmath.rect(scale, math.radians(degrees))
    points = [turn * complex(x - 24, y - 24) + complex(*centre) for x, y in TEMPLATE]
    return Landmarks(*(Point(p.real, p.imag) for p in points))


def drawn(landmarks, size=(400, 300)):
    """A picture with a white disc on each landmark, sized with the face."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    radius = max(2, round(math.dist(landmarks.right_eye, landmarks.left_eye) / 8))
    for x, y in landmarks:
        # OpenCV's coordinates are those of pixel centres; 4 bits are fractions.
        cv2.circle(pixels, (round((x - 0.5) * 16), round((y - 0.5) * 16)), radius * 16, 255, -1, cv2.LINE_AA, 4)
    return pixels


def centroid(crop, near):
    mask = np.zeros_like(crop)
    cv2.circle(mask, (round(near.x), round(near.y)), 4, 1, -1)
    weights = (crop * mask).astype(float)
    ys, xs = np.mgrid[0 : crop.shape[0], 0 : crop.shape[1]] + 0.5
    return (weights * xs).sum() / weights.sum(), (weights * ys).sum() / weights.sum()


def moved(transform, point):
    there = transform.factor * complex(*point) + transform.offset
    return there.real, there.imag


def test_a_known_similarity_is_recovered():
    source = placed((120, 90), 2.5, 20)
    found = similarity(source, TEMPLATE)
    assert found.scale == pytest.approx(1 / 2.5)
    assert math.degrees(cmath.phase(found.factor)) == pytest.approx(-20)
    for point, target in zip(source, TEMPLATE, strict=True):
        assert moved(found, point) == pytest.approx(target)
        assert found.back(target) == pytest.approx(point)


def test_the_transform_is_the_best_one_for_points_that_do_not_fit():
    source = [Point(x + dx, y) for (x, y), dx in zip(placed((50, 50), 1.7, -8), (0, 2, -1, 1, 0.5), strict=True)]

    def error(transform):
        return sum(math.dist(moved(transform, p), q) ** 2 for p, q in zip(source, TEMPLATE, strict=True))

    best = similarity(source, TEMPLATE)
    for step in (0.01, -0.01, 0.01j, -0.01j):
        assert error(best) < error(type(best)(best.factor + step, best.offset))
        assert error(best) < error(type(best)(best.factor, best.offset + 10 * step))


def test_points_in_one_place_are_refused():
    with pytest.raises(ValueError, match="one place"):
        similarity([Point(3, 3)] * 5, TEMPLATE)


@pytest.mark.parametrize("layout", [PixelLayout.RGB, PixelLayout.GREY, PixelLayout.I420])
@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0), (0.8, 15), (2.3, -30), (3.7, 45), (4.0, 180)])
def test_the_crop_of_a_turned_face_is_level_and_framed(layout, scale, degrees):
    landmarks = placed((200, 150), scale, degrees)
    pixels = drawn(landmarks)
    coloured = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    pixels = {PixelLayout.GREY: pixels, PixelLayout.RGB: coloured, PixelLayout.I420: cv2.cvtColor(coloured, cv2.COLOR_RGB2YUV_I420)}[layout]
    crop = Aligner(FRAMING).crop(Image(pixels, layout), landmarks)
    assert crop.shape == (48, 48)
    for point in TEMPLATE:
        assert math.dist(centroid(crop, point), point) < 0.5


@pytest.mark.parametrize("scale", [2, 8])
def test_a_face_larger_than_the_crop_does_not_alias(scale):
    stripes = np.zeros((480, 480), np.uint8)
    stripes[:, ::2] = 255
    crop = Aligner(FRAMING).crop(Image(stripes, PixelLayout.GREY), placed((240, 240), scale, 0))
    assert np.abs(crop - 127.5).max() < 2


@pytest.mark.parametrize("scale", [2.5, 4.0, 6.5])
def test_the_crop_of_a_large_face_is_the_mean_of_what_it_covers(scale):
    pixels = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (480, 480), np.uint8), (0, 0), 3)
    crop = Aligner(FRAMING).crop(Image(pixels, PixelLayout.GREY), placed((240, 240), scale, 0))
    side = round(48 * scale)
    left = round(240 - 24 * scale)
    mean = cv2.resize(pixels[left : left + side, left : left + side], (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - mean).mean() < 1.5


def test_a_face_at_the_edge_repeats_the_edge():
    crop = Aligner(FRAMING).crop(Image(np.full((100, 100, 3), 90, np.uint8), PixelLayout.RGB), placed((2, 98), 1.5, 0))
    assert np.abs(crop.astype(int) - 90).max() <= 1


def test_the_same_buffer_serves_the_next_face():
    aligner = Aligner(FRAMING)
    image = Image(np.zeros((300, 400), np.uint8), PixelLayout.GREY)
    assert aligner.crop(image, placed((200, 150), 3, 0)) is aligner.crop(image, placed((100, 100), 1, 0))
