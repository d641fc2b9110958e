"""Where the appliance keeps what it keeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from moodify.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.config import Config

DATABASE = "moodify.db"
DEVICE_KEY = "device.key"


def folder_of(config: Config, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what lasts: the configured one, the service's (``STATE_DIRECTORY``), or the user's.

    Raises:
        ConfigError: the configured one begins with a home that is not known here.
    """
    if config.store.folder is not None:
        try:
            return config.store.folder.expanduser()
        except RuntimeError as error:
            raise ConfigError("store", (f"folder = {str(config.store.folder)!r} begins with a home that is not known here; give the whole path",)) from error
    if service := environment.get("STATE_DIRECTORY"):
        # systemd gives several as a list; ours is the first.
        return Path(service.split(":")[0])
    return platformdirs.user_data_path("moodify")
