"""What several commands of ``moodify hub`` say and need."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moodify.daemon.hub_beside import PACKAGES
from moodify.errors import PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodify.hub.config import HubConfig
    from moodify.hub.database import Database
    from moodify.hub.folder import HubFolder


@contextmanager
def install_hint() -> Iterator[None]:
    """Import what a hub needs within this.

    Raises:
        PersonMustAct: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise PersonMustAct(f"a hub needs {error.name}, which is not installed; run: {sys.executable} -m pip install {PACKAGES}") from error


def enrolment_line(folder: HubFolder, config: HubConfig, fingerprint: str | None) -> str:
    """Return the command that makes a device belong to this hub."""
    from moodify.hub.certificate import reached_at

    host, port = reached_at(config.host), config.port
    if port == 0 and (said := folder.where()) is not None:
        port = int(said["mqtt"]["port"])
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return shlex.join(["moodify", "device", "enroll", where, *([] if fingerprint is None else ["--fingerprint", fingerprint])])


@contextmanager
def opened(folder: HubFolder) -> Iterator[tuple[HubConfig, Database]]:
    """Give a hub's configuration and its database, whether the hub runs or not.

    Raises:
        PersonMustAct: there is no hub in the folder.
        ConfigError: its configuration has mistakes.
    """
    with install_hint():
        from moodify.hub.database import open_database
        from moodify.hub.setup import configured, database_target

    config = configured(folder)
    database = open_database(database_target(folder, config))
    try:
        yield config, database
    finally:
        database.close()
