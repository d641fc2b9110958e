"""Reads picture files that anybody may have made: whole ones only, upright, in RGB, of a bearable size.

Here too stands what every user of OpenCV's decoders needs: their colours turned round, and their log kept quiet.
"""

from __future__ import annotations

import re
import stat
import struct
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import cv2
import numpy as np

from moodify.errors import PictureError
from moodify.types import Image, PixelLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
"""How the names of pictures end."""
MAX_PIXELS: Final = 50_000_000
"""Decoded, they take 150 MB; a header can promise far more in a few bytes."""
MAX_BYTES: Final = 100_000_000

_SILENT: Final = 0
"""OpenCV's lowest log level."""
_LOGGING: Final[Any] = getattr(cv2.utils, "logging", cv2)
"""Where OpenCV keeps its log level: the second up to 4.11, the first in later ones."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"})
"""The rest (colour profiles, texts) says nothing about faces, and libpng complains on stderr about what it does not like in it."""
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])")
"""One with a length behind it, or the end: no stuffed byte, no restart marker and no TEM (ITU-T T.81, B.1.1)."""
_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_JPEG_SCANS_AT_MOST: Final = 200
"""A decoder goes over all pixels for each, be it ever so short. Cameras and programs write up to about twenty."""
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BMP_HEADERS: Final = {struct.pack("<I", size) for size in (40, 52, 56, 108, 124)}
"""Lengths of the headers that hold width and height as 32-bit numbers: all but OS/2's."""
_HEAD_BYTES: Final = 18
"""Enough to tell each kind."""


class _Damaged(Exception):
    """What is wrong with the bytes."""


def read_picture(path: Path) -> Image:
    """Read a JPEG, PNG, WebP or BMP file as RGB; a JPEG or PNG is turned upright as its EXIF says.

    Grey, 16-bit and palette pictures become 8-bit RGB; transparency is dropped.

    Raises:
        PictureError: one line that names the file, what is wrong with it, and what to do.
    """
    content = _read(path)
    kind = _kind(content)
    if kind is None:
        what = "is empty" if not content else "is not a JPEG, PNG, WebP or BMP picture"
        raise PictureError(f"{path}: {what}; give the path of a picture")
    _, name, check = kind
    try:
        width, height, content = check(content)
    except (_Damaged, struct.error, IndexError) as error:
        what = str(error) if isinstance(error, _Damaged) else "it ends too early"
        raise PictureError(f"{path}: is a damaged {name} picture ({what}); copy it again from where it came") from error
    if width * height > MAX_PIXELS:
        raise PictureError(f"{path}: {width}x{height} pixels are more than {MAX_PIXELS // 1_000_000} million; make the picture smaller")
    return Image(_decode(path, name, content), PixelLayout.RGB)


def begins_as_picture(path: Path) -> bool:
    """Return whether the file's first bytes are those of a picture that :func:`read_picture` reads.

    Raises:
        PictureError: it is no regular file, or can't be read.
    """
    return _kind(_read(path, _HEAD_BYTES)) is not None


def rgb_of(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return OpenCV's pixels, (height, width, 3) in the order blue, green, red, as RGB: the same array, changed in place."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr), np.uint8)


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV's log off stderr meanwhile, on all threads: what it would say, the caller's error says."""
    _quiet.begin()
    try:
        yield
    finally:
        _quiet.end()


class _Quiet:
    """Counts who wants quiet: the level is the process's, so the last one to leave puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._level = 0

    def begin(self) -> None:
        with self._lock:
            if self._count == 0:
                self._level = _LOGGING.getLogLevel()
                _LOGGING.setLogLevel(_SILENT)
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                _LOGGING.setLogLevel(self._level)


_quiet: Final = _Quiet()


def _kind(content: bytes) -> _Kind | None:
    return next((kind for kind in _KINDS if kind[0](content)), None)


def _read(path: Path, most: int = -1) -> bytes:
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise PictureError(f"{path}: is a folder; give the path of a picture")
        if not stat.S_ISREG(about.st_mode):
            raise PictureError(f"{path}: is not a file; give the path of a picture")
        if most < 0 and about.st_size > MAX_BYTES:
            raise PictureError(f"{path}: {about.st_size // 1_000_000} MB are more than {MAX_BYTES // 1_000_000} MB; make the picture smaller")
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError as error:
        raise PictureError(f"{path}: there is no such file; check the path") from error
    except PermissionError as error:
        raise PictureError(f"{path}: may not be read by this user; change its permissions (chmod +r)") from error
    except (OSError, ValueError) as error:
        raise PictureError(f"{path}: can't be read ({error}); check the path and the disk") from error


def _decode(path: Path, name: str, content: bytes) -> NDArray[np.uint8]:
    try:
        with quiet_opencv():
            pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise PictureError(f"{path}: is a {name} picture that can't be decoded; save it again with another program")
    return rgb_of(np.asarray(pixels, np.uint8))


def _check_jpeg(content: bytes) -> tuple[int, int, bytes]:
    """Walk the segments to the end marker; a decoder would fill a truncated picture with grey and only warn."""
    size: tuple[int, int] | None = None
    scans = 0
    place = 2
    while True:
        found = _JPEG_MARKER.search(content, place)
        if found is None:
            raise _Damaged("it ends too early")
        marker, place = found.group(1)[0], found.end()
        if marker == _JPEG_END:
            break
        (length,) = struct.unpack_from(">H", content, place)
        if marker == _JPEG_SCAN:
            scans += 1
            if scans > _JPEG_SCANS_AT_MOST:
                raise _Damaged("it is made of too many scans")
        if marker in _JPEG_FRAMES:
            if size is not None:
                # A decoder goes by the first, and fills it before it meets the second.
                raise _Damaged("it has two frames")
            height, width = struct.unpack_from(">HH", content, place + 3)
            size = width, height
        place += length
    if size is None:
        raise _Damaged("it holds no picture")
    return *size, content


def _check_png(content: bytes) -> tuple[int, int, bytes]:
    """Walk the chunks to the end, hold each to its checksum, and keep those that the pixels need."""
    place = len(_PNG)
    # Chunks that are not kept could stand before it, and say another size.
    if content[place : place + 8] != b"\0\0\0\x0dIHDR":
        raise _Damaged("it does not begin with its size")
    width, height = struct.unpack_from(">II", content, place + 8)
    kept = [_PNG]
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(memoryview(content)[place + 4 : end - 4]) != checksum:
            raise _Damaged("a checksum is wrong")
        if kind in _PNG_CHUNKS:
            kept.append(content[place:end])
        place = end
    return width, height, b"".join(kept)


def _check_webp(content: bytes) -> tuple[int, int, bytes]:
    (length,) = struct.unpack_from("<I", content, 4)
    if len(content) < length + 8:
        raise _Damaged("it ends too early")
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[i : i + 3], "little") + 1 for i in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    else:
        # libwebp takes what is no chunk for the bits themselves, which hold their size elsewhere.
        raise _Damaged("it does not begin with a picture")
    return width, height, content


def _check_bmp(content: bytes) -> tuple[int, int, bytes]:
    width, height = struct.unpack_from("<ii", content, 18)
    return abs(width), abs(height), content


_Kind: TypeAlias = "tuple[Callable[[bytes], bool], str, Callable[[bytes], tuple[int, int, bytes]]]"
"""Whether bytes begin as one, its name, and what checks it whole: it returns width, height, and the bytes to decode."""

_KINDS: Final[tuple[_Kind, ...]] = (
    (lambda content: content.startswith(b"\xff\xd8\xff"), "JPEG", _check_jpeg),
    (lambda content: content.startswith(_PNG), "PNG", _check_png),
    (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", "WebP", _check_webp),
    (lambda content: content.startswith(b"BM") and content[14:18] in _BMP_HEADERS, "BMP", _check_bmp),
)
