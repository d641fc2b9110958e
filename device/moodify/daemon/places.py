"""Where the appliance keeps what it keeps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.config import Config

DATABASE = "moodify.db"
DEVICE_KEY = "device.key"


def folder_of(config: Config, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what lasts: the configured one, the service's (``STATE_DIRECTORY``), or the user's."""
    if config.store.folder is not None:
        return config.store.folder.expanduser()
    if service := environment.get("STATE_DIRECTORY"):
        # systemd gives several as a list; ours is the first.
        return Path(service.split(":")[0])
    return platformdirs.user_data_path("moodify")
