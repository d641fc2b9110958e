"""Where a hub keeps what it keeps: one folder, which only its owner can look into."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from moodify.errors import PersonMustAct
from moodify.files import write_private
from moodify.hub.mosquitto import SOCKET

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class HubFolder:
    """The paths of one hub."""

    path: Path

    @property
    def config(self) -> Path:
        """``hub.toml``."""
        return self.path / "hub.toml"

    @property
    def database(self) -> Path:
        """SQLite's file, where no other database is configured."""
        return self.path / "hub.db"

    @property
    def certificate(self) -> Path:
        """The hub's own certificate (PEM)."""
        return self.path / "certificate.pem"

    @property
    def key(self) -> Path:
        """Its key (PEM)."""
        return self.path / "certificate.key"

    @property
    def admin(self) -> Path:
        """The hash of the admin token."""
        return self.path / "admin.hash"

    @property
    def restoring(self) -> Path:
        """It is there while a backup is restored, and after that where it was cut off: what else is there is no hub then."""
        return self.path / "restoring"

    @property
    def run(self) -> Path:
        """What lasts as long as a run, mosquitto's files among it."""
        return self.path / "run"

    @property
    def socket(self) -> Path:
        """Where mosquitto listens; may be longer than a socket's address."""
        return self.run / SOCKET

    @property
    def local(self) -> Path:
        """A token for the API that is new with each run, for who can read this folder."""
        return self.run / "local.token"

    @property
    def address(self) -> Path:
        """Says where a hub listens, while it answers."""
        return self.run / "address.json"

    def make(self) -> None:
        """Make the folder (0700) where there is none.

        Raises:
            PersonMustAct: it can't be made, or others may look into it.
        """
        try:
            for folder in (self.path, self.run):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.path.stat().st_mode & 0o777
        except OSError as error:
            raise PersonMustAct(f"{self.path}: {error.strerror}; name a folder that you can write with --folder") from error
        if mode & 0o077:
            raise PersonMustAct(f"others may look into {self.path} (mode {mode:04o}), where the hub's keys are; run: chmod 700 {self.path}")

    def where(self) -> dict[str, Any] | None:
        """Return what a running hub says of itself (:attr:`address`); None where none runs.

        Raises:
            PersonMustAct: it can't be read.
        """
        try:
            said: object = json.loads(self.address.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise PersonMustAct(f"{self.address} can't be read ({error}); run this as the user that runs the hub, or restart it") from error
        if not isinstance(said, dict):
            raise PersonMustAct(f"{self.address} is damaged; restart the hub, which writes it anew")
        return said

    def publish(self, said: Mapping[str, Any]) -> None:
        """Say where the hub listens, now that it answers."""
        write_private(self.address, json.dumps(said).encode() + b"\n")

    def withdraw(self) -> None:
        """Say nothing any more."""
        self.address.unlink(missing_ok=True)


def hub_folder(explicit: Path | None, *, environment: Mapping[str, str] = os.environ) -> HubFolder:
    """Return the hub's folder: the one that was named, the service's (``STATE_DIRECTORY``), or the user's."""
    if explicit is not None:
        return HubFolder(explicit.expanduser().absolute())
    if service := environment.get("STATE_DIRECTORY"):
        # systemd gives several as a list; ours is the first.
        return HubFolder(Path(service.split(":")[0]))
    return HubFolder(platformdirs.user_data_path("moodify-hub"))
