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


def runtime_folder_of(folder: Path, *, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what lasts as long as a run, for the appliance whose data is in ``folder``."""
    if service := environment.get("RUNTIME_DIRECTORY"):
        return Path(service.split(":")[0])
    # Beside the data rather than under /tmp: a name in a folder that all may write to can be taken by others.
    return folder / "run"
