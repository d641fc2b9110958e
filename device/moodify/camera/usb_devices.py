"""Which USB cameras are plugged in, by asking the kernel's video nodes what they are."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

# linux/videodev2.h: struct v4l2_capability, VIDIOC_QUERYCAP = _IOR('V', 0, struct v4l2_capability).
_CAPABILITY = struct.Struct("=16s32s32sIII3I")
_QUERYCAP = (2 << 30) | (_CAPABILITY.size << 16) | (ord("V") << 8)
_VIDEO_CAPTURE = 0x0000_0001
_VIDEO_CAPTURE_MPLANE = 0x0000_1000
_HAS_DEVICE_CAPS = 0x8000_0000


@dataclass(frozen=True, slots=True)
class VideoNode:
    """What a ``/dev/videoN`` says of itself."""

    path: Path
    card: str
    """The camera's name."""
    bus: str
    """``usb-…`` for USB; a Pi's own camera, decoders and scalers are on ``platform:…``."""
    captures: bool
    """False for a node that gives only metadata, of which each USB camera has one."""


def parse_capability(path: Path, answer: bytes) -> VideoNode:
    """Read the kernel's ``struct v4l2_capability``."""
    _, card, bus, _, caps, device_caps, *_ = _CAPABILITY.unpack(answer)
    own = device_caps if caps & _HAS_DEVICE_CAPS else caps
    return VideoNode(path, _text(card), _text(bus), captures=bool(own & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE)))


def query(path: Path) -> VideoNode:
    """Ask a node what it is.

    Raises:
        OSError: it can't be opened, or is no video node.
    """
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        return parse_capability(path, fcntl.ioctl(handle, _QUERYCAP, bytes(_CAPABILITY.size)))
    finally:
        os.close(handle)


def usb_cameras(folder: Path = Path("/dev")) -> tuple[VideoNode, ...]:
    """Return the USB cameras, in the order of their nodes' numbers."""
    nodes = []
    for path in sorted(folder.glob("video*"), key=lambda path: int(re.sub(r"\D", "", path.name) or 0)):
        try:
            nodes.append(query(path))
        except PermissionError:
            log.warning("%s may not be opened; add the user to the group video", path)
        except OSError as error:
            log.debug("%s is passed over: %s", path, error)
    return tuple(node for node in nodes if node.captures and node.bus.startswith("usb-"))


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
