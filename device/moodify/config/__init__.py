"""TOML in, a frozen :class:`Config` out, or every mistake at once with its fix."""

from moodify.config.load import find, load, parse
from moodify.config.model import Config

__all__ = ["Config", "find", "load", "parse"]
