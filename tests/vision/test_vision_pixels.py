import cv2
import numpy as np
import pytest

from moodify.types import Box, Image, PixelLayout
from moodify.vision.pixels import PADDING, Letterbox, Part, SmallLuma, region_luma


def picture(width=320, height=240):
    """Soft colours: chroma is stored at half resolution, so hard edges would differ between layouts."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    planes = [127 + 110 * np.sin(3 * x + 2 * y), 127 + 110 * np.cos(4 * y - x), 255 * x * y]
    return np.stack(planes, axis=2).astype(np.uint8)


def in_layout(pixels, layout):
    if layout is PixelLayout.RGB:
        return Image(pixels, layout)
    if layout is PixelLayout.GREY:
        return Image(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), layout)
    i420 = cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420)
    if layout is PixelLayout.I420:
        return Image(i420, layout)
    height, width = pixels.shape[:2]
    chroma = i420[height:].reshape(2, -1)
    return Image(np.vstack([i420[:height], chroma.T.reshape(height // 2, width)]), layout)


COLOURED = [PixelLayout.RGB, PixelLayout.I420, PixelLayout.NV12]


@pytest.mark.parametrize("layout", list(PixelLayout))
def test_small_luma_is_the_same_from_every_layout(layout):
    small = SmallLuma(80, 60)
    expected = cv2.resize(cv2.cvtColor(picture(), cv2.COLOR_RGB2GRAY), (80, 60), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small.of(in_layout(picture(), layout)).astype(int) - expected).max() <= 3


@pytest.mark.parametrize("layout", COLOURED)
@pytest.mark.parametrize(("width", "height", "scale"), [(320, 240, 1.0), (640, 480, 0.5), (160, 120, 2.0), (240, 320, 0.8), (1280, 720, 0.25)])
def test_letterbox_keeps_the_aspect_and_pads_right_and_below(layout, width, height, scale):
    pixels = picture(width, height)
    canvas, factor = Letterbox(320, 256).fit(in_layout(pixels, layout))
    assert factor == pytest.approx(scale)
    inside_width, inside_height = round(width * scale), round(height * scale)
    assert (canvas[inside_height:] == PADDING).all()
    assert (canvas[:, inside_width:] == PADDING).all()
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    expected = cv2.resize(pixels, (inside_width, inside_height), interpolation=how).astype(int)
    assert np.abs(canvas[:inside_height, :inside_width].astype(int) - expected).mean() < 2


@pytest.mark.parametrize("layout", COLOURED)
@pytest.mark.parametrize(("most", "factor"), [(0.25, 0.25), (0.3, 0.3), (2.0, 0.5)])
def test_letterbox_enlarges_no_further_than_it_may(layout, most, factor):
    box = Letterbox(320, 256)
    pixels = picture(640, 480)
    box.fit(in_layout(pixels, layout))
    canvas, scale = box.fit(in_layout(pixels, layout), most)
    assert scale == factor
    width, height = round(640 * factor), round(480 * factor)
    assert (canvas[height:] == PADDING).all()
    assert (canvas[:, width:] == PADDING).all()
    expected = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(canvas[:height, :width].astype(int) - expected).mean() < 2


def test_letterbox_leaves_nothing_of_a_larger_picture_before():
    box = Letterbox(320, 256)
    box.fit(Image(np.zeros((256, 320, 3), np.uint8), PixelLayout.RGB))
    canvas, _ = box.fit(Image(np.zeros((240, 320, 3), np.uint8), PixelLayout.RGB))
    assert (canvas[240:] == PADDING).all()
    assert (canvas[:240] == 0).all()


def test_letterbox_takes_a_view_into_a_larger_picture():
    part = picture(640, 480)[100:340, 200:520]
    canvas, _ = Letterbox(320, 256).fit(Image(part, PixelLayout.RGB))
    assert (canvas[:240] == part).all()


def test_letterbox_takes_a_single_pixel():
    canvas, factor = Letterbox(320, 256).fit(Image(np.full((1, 1, 3), 9, np.uint8), PixelLayout.RGB))
    assert factor == 256
    assert (canvas[:, :256] == 9).all()


def test_region_luma_of_rgb_converts_only_the_region():
    plane, left, top = region_luma(in_layout(picture(), PixelLayout.RGB), Box(10.5, 20.5, 50, 70))
    assert (left, top) == (10, 20)
    assert plane.shape == (50, 40)


def test_region_luma_outside_the_picture_is_its_nearest_pixel():
    plane, left, top = region_luma(in_layout(picture(), PixelLayout.RGB), Box(400, -50, 500, -10))
    assert (left, top) == (319, 0)
    assert plane.shape == (1, 1)


def test_region_luma_of_yuv_is_a_view_of_the_plane():
    image = in_layout(picture(), PixelLayout.I420)
    plane, left, top = region_luma(image, Box(10, 20, 50, 70))
    assert (left, top) == (0, 0)
    assert np.shares_memory(plane, image.pixels)


@pytest.mark.parametrize("layout", COLOURED)
def test_a_part_is_what_the_whole_picture_shows_there(layout):
    part, x, y = Part().of(in_layout(picture(640, 480), layout), Box(101.7, 53.2, 441.7, 313.2))
    assert (x, y, part.width, part.height) == (100, 52, 340, 260)
    canvas, _ = Letterbox(340, 260).fit(part)
    assert np.abs(canvas.astype(int) - picture(640, 480)[52:312, 100:440].astype(int)).mean() < 2


def test_parts_of_yuv_share_one_buffer():
    cutter = Part()
    image = in_layout(picture(640, 480), PixelLayout.I420)
    first, second = (cutter.of(image, Box(x, 0, x + 320, 240))[0] for x in (0, 100))
    assert first.pixels is second.pixels


def test_a_part_of_rgb_is_a_view():
    image = in_layout(picture(), PixelLayout.RGB)
    part, _, _ = Part().of(image, Box(0, 0, 160, 120))
    assert np.shares_memory(part.pixels, image.pixels)
