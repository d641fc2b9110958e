"""Moodify: sees the mood of a room, on the device, and plays music that fits."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("moodify")
except PackageNotFoundError:  # the source tree without an installation
    __version__ = "0.0.0+source"
