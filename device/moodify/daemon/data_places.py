"""What lies in the data folder, and what becomes of each in a backup and when all is erased (docs/data.md says it for people)."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from moodify.accounts import key
from moodify.cloud import enrolment
from moodify.daemon import erasing, front, hub_beside
from moodify.daemon.linking import PUBLIC_KEY
from moodify.daemon.places import DATABASE, DEVICE_KEY
from moodify.errors import PersonMustAct
from moodify.music import fading
from moodify.music.catalogue import file as catalogue
from moodify.music.spotify import last_speaker, quota, tokens
from moodify.store import lock
from moodify.store.aside import REPLACED
from moodify.system import crashes

if TYPE_CHECKING:
    from pathlib import Path


class InBackup(Enum):
    """Whether something is in a backup."""

    ALWAYS = "always"
    WITH_KEYS = "with keys"
    """Only where the owner asks for it: who has it can be this device, or use its owner's account."""
    NEVER = "never"
    """It is made anew, or is of the moment."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing in the data folder."""

    name: str
    said: str
    """What it is, for a person."""
    backup: InBackup = InBackup.NEVER
    secret: bool = False
    """Erased first."""


#: The owner's configuration as it is called in a backup, and beside the data where a restore has put it.
CONFIGURATION: Final = "moodify.toml"
RESTORED_CONFIGURATION: Final = "moodify.toml.restored"

CATALOGUE: Final = catalogue.FILE
#: How the folder begins where a restore gets things ready.
RESTORING: Final = "restoring-"
#: How the folder begins where a backup's copies are.
BACKING_UP: Final = ".moodify-backup-"

KINDS: Final = (
    Kind(DEVICE_KEY, "the device's key", InBackup.WITH_KEYS, secret=True),
    Kind(f"{DEVICE_KEY}.next", "a new key that the hub does not know yet", InBackup.WITH_KEYS, secret=True),
    Kind(f"{DEVICE_KEY}.refused", "why a new key came to nothing"),
    Kind(tokens.FILE, "the sign-in to Spotify", InBackup.WITH_KEYS, secret=True),
    Kind(key.FILE, "the key of the page's sign-ins", secret=True),
    Kind(front.CERTIFICATE_KEY, "the key of the page's certificate", secret=True),
    Kind(front.CERTIFICATE, "the page's certificate"),
    Kind("device.id", "the device's id", InBackup.WITH_KEYS),
    Kind(PUBLIC_KEY, "its public key"),
    Kind(enrolment.FILE, "the hub that it belongs to", InBackup.WITH_KEYS),
    Kind(DATABASE, "history, what waits to be sent, what was learned, settings, accounts, looks at people's skin", InBackup.ALWAYS),
    Kind(CATALOGUE, "the songs that it knows", InBackup.ALWAYS),
    Kind(last_speaker.FILE, "the speaker that played last", InBackup.ALWAYS),
    Kind(quota.FILE, "how often Spotify was asked"),
    Kind(fading.FILE, "a volume that is to be put back"),
    Kind(hub_beside.FOLDER, "the hub beside the appliance, with what it was told"),
    Kind(crashes.FILE, "how often it crashed lately"),
    Kind("run", "files of a run"),
    Kind(RESTORED_CONFIGURATION, "the configuration that was in a backup"),
    Kind(erasing.FILE, "a wish to erase all of this, from the page"),
    Kind(lock.FILE, "the lock of a run"),
)

_POLL_S: Final = 0.1

#: Files that belong to one of :data:`KINDS`: logs of databases, what was damaged, what a power cut has left half done.
_WITH: Final = ("-wal", "-shm", "-journal", ".reserve", ".damaged", ".new", ".corrupt.*")


def found(folder: Path, kind: Kind) -> list[Path]:
    """Return what there is of one kind in a data folder."""
    belonging = (folder.glob(f"{kind.name}{suffix}") for suffix in _WITH)
    # A new key or id that a power cut left under the name that it was written by.
    halves = folder.glob(f".{kind.name}.*")
    path = folder / kind.name
    own = [path] if path.exists() or path.is_symlink() else []
    return [*own, *sorted(itertools.chain(*belonging, halves))]


def set_aside(folder: Path) -> list[Path]:
    """Return what restores have set aside, or were cut off from, as backups were; keys may be in it."""
    return sorted(itertools.chain.from_iterable(folder.glob(f"{begins}*") for begins in (REPLACED, RESTORING, BACKING_UP)))


def device_of(folder: Path) -> str | None:
    """Return the id of the device whose data it is; None where it has no key yet, or a damaged one, which must not stand in the way."""
    from moodify.cloud import identity

    with suppress(PersonMustAct):
        return identity.load(folder / DEVICE_KEY).device
    return None


def unknown(folder: Path) -> list[Path]:
    """Return what lies in the data folder and is not Moodify's."""
    ours = {path for kind in KINDS for path in found(folder, kind)} | set(set_aside(folder))
    return sorted(path for path in folder.iterdir() if path not in ours)


def await_end(folder: Path, *, within_s: float = 10.0) -> None:
    """Wait until no appliance uses a data folder any more, nor a hub its part of it, or the time is over."""
    until_s = time.monotonic() + within_s
    while any(lock.is_held(place) for place in (folder, folder / hub_beside.FOLDER)) and time.monotonic() < until_s:
        time.sleep(_POLL_S)


def refuse_while_running(folder: Path, then: str) -> None:
    """See that no appliance uses a data folder, nor a hub its part of it.

    Raises:
        PersonMustAct: one does.
        StoreError: it can't be found out.
    """
    for place in (folder, folder / hub_beside.FOLDER):
        if lock.is_held(place):
            raise PersonMustAct(f"Moodify is running and uses {place}; end it first, with q in its terminal or: sudo systemctl stop moodify; {then}. Nothing was changed")
