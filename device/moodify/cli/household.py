"""The configuration as commands read it: the file, with what the household has set on its page over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.config import find, load
from moodify.config.household import paths
from moodify.daemon.household import in_house
from moodify.daemon.places import folder_of

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.config import Config


def as_it_holds(config_file: Path | None) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration as it holds for the household, and the keys that were set on the page.

    Raises:
        ConfigError: the file has mistakes.
    """
    config = load(find(config_file))
    holds, settings = in_house(config, folder_of(config))
    return holds, paths(settings)
