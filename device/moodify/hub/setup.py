"""Makes what a hub needs in its folder, and leaves what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moodify.errors import PersonMustAct
from moodify.files import write_private
from moodify.hub import certificate, config
from moodify.hub.api.admin import hash_of, new_token

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.hub.config import HubConfig
    from moodify.hub.folder import HubFolder


@dataclass(frozen=True, slots=True)
class Initialised:
    """A hub that can be started."""

    config: HubConfig
    fingerprint: str | None
    """What devices know its certificate by; None for one without TLS."""
    made: tuple[Path, ...]
    """Files that were not there before."""
    token: str | None = field(repr=False)
    """The admin token, where one was made: it is kept nowhere but with who is told it now."""


def initialise(folder: HubFolder, *, another_token: bool = False) -> Initialised:
    """Make what is missing: folder, configuration, certificate, admin token.

    Raises:
        ConfigError: the configuration that is there has mistakes.
        PersonMustAct: the folder can't be written, a file in it is damaged, or it was restored by half.
    """
    refuse_half(folder)
    folder.make()
    made: list[Path] = []
    token = None
    try:
        if not folder.config.exists():
            write_private(folder.config, config.annotated().encode())
            made.append(folder.config)
        found = config.load(folder.config)
        if found.tls and found.certificate is None and not folder.certificate.exists():
            certificate.make(folder.certificate, folder.key, [*certificate.own_names(), *found.names])
            made += [folder.certificate, folder.key]
        if another_token or not folder.admin.exists():
            token = new_token()
            write_private(folder.admin, f"{hash_of(token)}\n".encode())
            made.append(folder.admin)
    except OSError as error:
        raise PersonMustAct(f"{error.filename or folder.path}: {error.strerror}; give {folder.path} to the user that runs the hub") from error
    return Initialised(found, shown_fingerprint(folder, found), tuple(made), token)


def configured(folder: HubFolder) -> HubConfig:
    """Return the configuration of a hub; the defaults for one that an appliance started beside itself, whose folder has none.

    Raises:
        PersonMustAct: there is no hub in the folder, or one that was restored by half.
        ConfigError: its configuration has mistakes.
    """
    refuse_half(folder)
    return config.load(folder.config) if folder.config.exists() or not folder.database.exists() else config.HubConfig()


def refuse_half(folder: HubFolder) -> None:
    """See that what is in a folder is no half of a hub.

    Raises:
        PersonMustAct: it is; run the restore again.
    """
    if folder.restoring.exists():
        raise PersonMustAct(f"a restore into {folder.path} was cut off, so there is half a hub; run it again: moodify hub restore FILE --folder {folder.path}")


def database_target(folder: HubFolder, found: HubConfig) -> Path | str:
    """Return which database a hub uses."""
    return folder.database if found.database_url is None else found.database_url.get_secret_value()


def certificate_files(folder: HubFolder, found: HubConfig) -> tuple[Path, Path] | None:
    """Return the certificate that the hub shows, and its key; None for a hub without TLS."""
    if not found.tls:
        return None
    return (folder.certificate, folder.key) if found.certificate is None or found.key is None else (found.certificate, found.key)


def shown_fingerprint(folder: HubFolder, found: HubConfig) -> str | None:
    """Return what devices know the hub's certificate by; None for a hub without TLS.

    Raises:
        PersonMustAct: certificate and key can't be read, or do not belong together.
    """
    files = certificate_files(folder, found)
    if files is None:
        return None
    # Also that the key is there and fits: better said now than when the hub is started.
    certificate.server_context(*files)
    return certificate.fingerprint(files[0].read_text("ascii", errors="replace"))
