"""The hub's own certificate, which devices know by its fingerprint: made once, for ten years."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from moodify.web import certificate
from moodify.web.certificate import fingerprint, names_of, outward_addresses, own_names, reached_at

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

#: Devices know the certificate by its fingerprint, so a new one means to enrol each anew.
LIFETIME = timedelta(days=3652)


def make(file: Path, key: Path, names: Iterable[str], *, now: datetime | None = None) -> None:
    """Write a new key and certificate (0600 both) for ``names``, which are host names and addresses.

    Raises:
        CannotWork: a name is neither.
        OSError: they can't be written.
    """
    certificate.make(file, key, names, title="Moodify hub", lifetime=LIFETIME, now=now)


def server_context(file: Path, key: Path) -> ssl.SSLContext:
    """Return what a server needs to encrypt, TLS 1.2 and later.

    Raises:
        PersonMustAct: the files can't be read, are no certificate and key, or do not belong together.
    """
    return certificate.server_context(file, key, mend="put back both from a backup, or delete both and run: moodify hub init")


__all__ = ["LIFETIME", "fingerprint", "make", "names_of", "outward_addresses", "own_names", "reached_at", "server_context"]
