"""Pictures that say one size to who looks them over and another to the decoder, and those that would keep it busy for hours."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from moodify.errors import PictureError
from moodify.pictures import read_picture

#: Beyond what is read.
SIDE = 12_000


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(*options):
    """A JPEG, and where its frame's header begins and ends."""
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    content = cv2.imencode(".jpg", noise, list(options))[1].tobytes()
    begin = content.index(b"\xff\xc2" if options else b"\xff\xc0")
    return content, begin, begin + 2 + struct.unpack_from(">H", content, begin + 2)[0]


def grown(frame):
    return frame[:5] + struct.pack(">HH", SIDE, SIDE) + frame[9:]


def refused(tmp_path, content):
    path = tmp_path / "picture"
    path.write_bytes(content)
    with pytest.raises(PictureError) as raised:
        read_picture(path)
    return str(raised.value)


def test_a_png_tells_its_size_first(tmp_path):
    row = b"\0" * (SIDE // 8 + 1)
    pixels = png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)) + png_chunk(b"IDAT", zlib.compress(row * SIDE)) + png_chunk(b"IEND", b"")
    small = png_chunk(b"tEXt", struct.pack(">II", 4, 4) + b"\0\0\0\0\0")
    assert "does not begin with its size" in refused(tmp_path, b"\x89PNG\r\n\x1a\n" + small + pixels)
    assert f"{SIDE}x{SIDE} pixels" in refused(tmp_path, b"\x89PNG\r\n\x1a\n" + pixels)


def test_a_jpeg_has_one_frame(tmp_path):
    content, begin, end = jpeg()
    frame = content[begin:end]
    assert "two frames" in refused(tmp_path, content[:begin] + grown(frame) + content[end:-2] + frame + b"\xff\xd9")


def test_a_marker_without_a_length_hides_no_frame(tmp_path):
    content, begin, end = jpeg()
    frame = content[begin:end]
    # Read as a length, the 0xFFC0 of the true frame leads into the comment with the false one.
    hiding = b"\xff\x01" + grown(frame) + b"\xff\xfe" + struct.pack(">H", 60_002) + b"\0" * 60_000 + b"\xff\xfe" + struct.pack(">H", 9002) + b"\0" * 8000 + frame.ljust(1000, b"\0")
    assert f"{SIDE}x{SIDE} pixels" in refused(tmp_path, content[:2] + hiding + content[2:begin] + content[end:])


def test_a_jpeg_of_scans_without_end_is_not_decoded(tmp_path):
    content, _, _ = jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = content[content.rindex(b"\xff\xda") : -2]
    assert "too many scans" in refused(tmp_path, content[:-2] + last * 300 + b"\xff\xd9")


def test_a_webp_without_a_chunk_is_not_decoded(tmp_path):
    bits = cv2.imencode(".webp", np.zeros((64, 64, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()[20:]
    assert bits[:1] == b"\x2f"
    assert "does not begin with a picture" in refused(tmp_path, b"RIFF" + struct.pack("<I", 4 + len(bits)) + b"WEBP" + bits)
