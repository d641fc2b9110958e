import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from moodify.errors import PictureError
from moodify.pictures import MAX_BYTES, MAX_PIXELS, begins_as_picture, quiet_opencv, read_picture
from moodify.types import PixelLayout

#: Up to OpenCV 4.11 the level is kept in cv2 itself.
OPENCV_LOG = getattr(cv2.utils, "logging", cv2)


def scene(width=64, height=48):
    """Red on the left, blue on the right, in RGB."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 230
    pixels[:, width // 2 :, 2] = 230
    return pixels


def encoded(kind, pixels=None, options=()):
    pixels = scene() if pixels is None else pixels
    return cv2.imencode(kind, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels, list(options))[1].tobytes()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exif(orientation):
    """EXIF that holds nothing but an orientation."""
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned(picture, orientation):
    """The JPEG or PNG with an orientation."""
    if picture.startswith(b"\x89PNG"):
        return picture[:33] + png_chunk(b"eXIf", exif(orientation)) + picture[33:]
    body = b"Exif\x00\x00" + exif(orientation)
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + picture[2:]


@pytest.fixture
def saved(tmp_path):
    def save(content, name="picture"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return save


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_every_kind_is_read_as_rgb(saved, kind):
    image = read_picture(saved(encoded(kind)))
    assert (image.width, image.height, image.layout) == (64, 48, PixelLayout.RGB)
    assert image.pixels[24, 10] == pytest.approx([230, 0, 0], abs=25)
    assert image.pixels[24, 54] == pytest.approx([0, 0, 230], abs=25)


def test_lossy_and_extended_webp_are_read(saved):
    assert read_picture(saved(encoded(".webp", options=(cv2.IMWRITE_WEBP_QUALITY, 80)))).width == 64


def test_a_progressive_jpeg_is_read(saved):
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    assert read_picture(saved(encoded(".jpg", noise, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)))).width == 64


def test_grey_16_bit_and_transparent_pictures_are_read(saved):
    grey = np.full((5, 7), 99, np.uint8)
    assert read_picture(saved(encoded(".png", grey))).pixels[0, 0].tolist() == [99, 99, 99]
    deep = np.full((5, 7), 99 * 257, np.uint16)
    assert read_picture(saved(encoded(".png", deep))).pixels[0, 0].tolist() == [99, 99, 99]
    clear = np.dstack([scene()[..., ::-1], np.full((48, 64), 128, np.uint8)])
    assert read_picture(saved(cv2.imencode(".png", clear)[1].tobytes())).pixels[24, 10].tolist() == [230, 0, 0]


def test_a_palette_picture_is_read(saved):
    header = struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60])), png_chunk(b"IDAT", zlib.compress(b"\x00\x00\x01")), png_chunk(b"IEND", b"")]
    assert read_picture(saved(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))).pixels.tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_picture_is_turned_upright_as_its_exif_says(saved, kind):
    image = read_picture(saved(turned(encoded(kind), 6)))
    assert (image.width, image.height) == (48, 64)
    assert image.pixels[5, 24] == pytest.approx([230, 0, 0], abs=25)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_bytes_after_the_end_do_not_matter(saved, kind):
    assert read_picture(saved(encoded(kind) + b"\r\n and more" * 100)).width == 64


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_a_picture_that_was_cut_off_is_refused_wherever_it_ends(saved, kind, capfd):
    whole = encoded(kind, np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8))
    for length in range(1, len(whole) - 1, 37):
        with pytest.raises(PictureError):
            read_picture(saved(whole[:length]))
    assert capfd.readouterr() == ("", "")


def test_a_truncated_jpeg_says_so_and_what_to_do(saved, capfd):
    path = saved(encoded(".jpg")[:-30], "half.jpg")
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    assert str(caught.value) == f"{path}: is a damaged JPEG picture (it ends too early); copy it again from where it came"
    assert capfd.readouterr().err == ""


def test_a_thumbnail_does_not_hide_that_a_jpeg_was_cut_off(saved):
    whole = encoded(".jpg")
    thumbnail = encoded(".jpg", scene(8, 8))
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert read_picture(saved(whole[:2] + segment + whole[2:])).width == 64
    with pytest.raises(PictureError, match="ends too early"):
        read_picture(saved(whole[:2] + segment + whole[2:-40]))


def test_a_flipped_bit_in_a_png_is_refused(saved, capfd):
    content = bytearray(encoded(".png"))
    content[60] ^= 1
    with pytest.raises(PictureError, match="checksum"):
        read_picture(saved(bytes(content)))
    assert capfd.readouterr() == ("", "")


def test_what_libpng_would_complain_about_is_left_out(saved, capfd):
    content = encoded(".png")
    profile = png_chunk(b"iCCP", b"broken\x00\x00" + zlib.compress(b"no profile"))
    assert read_picture(saved(content[:33] + profile + content[33:])).width == 64
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"Dear diary,\n", "is not a JPEG, PNG, WebP or BMP picture"), (b"GIF89a" + bytes(50), "is not a JPEG")])
def test_what_is_no_picture_is_refused(saved, content, said):
    with pytest.raises(PictureError, match=said):
        read_picture(saved(content))


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_a_picture_is_told_by_its_first_bytes(saved, kind):
    assert begins_as_picture(saved(encoded(kind)))


@pytest.mark.parametrize("content", [b"", b"B", b"Dear diary,\n", b"RIFF\x00\x00\x00\x00AVI LIST", b"\x00\x00\x00\x18ftypmp42" + bytes(50)])
def test_what_begins_otherwise_is_none(saved, content):
    assert not begins_as_picture(saved(content))


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(saved):
    path = saved(encoded(".png"))
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(PictureError, match=r"are more than 100 MB; make the picture smaller"):
        read_picture(path)
    assert begins_as_picture(path)


def test_opencv_speaks_again_when_the_last_one_who_wants_quiet_has_left():
    before = OPENCV_LOG.getLogLevel()
    assert before > 0
    with quiet_opencv():
        with quiet_opencv():
            assert OPENCV_LOG.getLogLevel() == 0
        assert OPENCV_LOG.getLogLevel() == 0
    assert OPENCV_LOG.getLogLevel() == before


def test_a_missing_path_and_a_folder_are_named(tmp_path):
    with pytest.raises(PictureError, match=r"nowhere\.jpg: there is no such file; check the path"):
        read_picture(tmp_path / "nowhere.jpg")
    with pytest.raises(PictureError, match="is a folder"):
        read_picture(tmp_path)
    with pytest.raises(PictureError, match="can't be read"):
        read_picture(tmp_path / ("x" * 300))


@pytest.mark.parametrize("look", [read_picture, begins_as_picture])
def test_a_pipe_does_not_block(tmp_path, look):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match="is not a file"):
        look(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root: may read everything")
def test_a_file_that_may_not_be_read_is_named(saved):
    path = saved(encoded(".png"))
    path.chmod(0)
    with pytest.raises(PictureError, match=r"may not be read .*chmod"):
        read_picture(path)


@pytest.mark.parametrize("side", [30_000, 2**31 - 1])
def test_a_bomb_is_refused_before_it_is_decoded(saved, side):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path = saved(b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b""))
    with pytest.raises(PictureError, match=f"{side}x{side} pixels are more than {MAX_PIXELS // 1_000_000} million; make the picture smaller"):
        read_picture(path)


def test_a_single_pixel_is_a_picture(saved):
    assert read_picture(saved(encoded(".png", np.zeros((1, 1), np.uint8)))).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_no_vendor_error_escapes_from_changed_bytes(saved, kind):
    rng = np.random.default_rng(3)
    whole = encoded(kind, rng.integers(0, 255, (24, 32, 3), np.uint8))
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in rng.integers(2, min(len(content), 200), 3):
            content[place] = rng.integers(0, 256)
        try:
            assert read_picture(saved(bytes(content))).pixels.ndim == 3
        except PictureError:
            refused += 1
    assert refused > 5
