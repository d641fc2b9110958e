"""The command line, which everything else is reached through."""

from moodify.cli.main import main

__all__ = ["main"]
