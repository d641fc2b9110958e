"""Which hub this device belongs to: the file ``hub.json``, and how a hub is taken for the one that a person means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.cloud.certificates import TIMEOUT_S, Certificate, fetch, same_fingerprint
from moodify.cloud.keys import enrolled_as
from moodify.cloud.opening import open_socket
from moodify.cloud.port import Delivery, Endpoint
from moodify.errors import EnrolmentRefused, PersonMustAct
from moodify.files import sync_folder, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from moodify.cloud.identity import Identity
    from moodify.config.model import LinkConfig

FILE = "hub.json"
#: Where a hub listens unless somebody says otherwise.
PORT = 8883
_PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The hub that a device belongs to."""

    host: str
    port: int
    certificate: Certificate
    """The only one that it is believed with."""
    name: str
    """What it calls itself; for people."""
    enrolled: datetime
    """UTC."""


def load(folder: Path) -> Enrolment | None:
    """Return what ``hub.json`` in the data folder says, None where there is none.

    It reads one small file, so it may be asked before each connect: what ``moodify device enroll`` writes counts from the next one on.

    Raises:
        PersonMustAct: it is damaged or can't be read.
    """
    path = folder / FILE
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PersonMustAct(f"{path}: {error.strerror}; give it to the user that runs Moodify") from error
    try:
        return _read(json.loads(content))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PersonMustAct(f"{path} is damaged: it does not say which hub this device belongs to; enrol it again with: moodify device enroll") from error


def save(folder: Path, enrolment: Enrolment) -> None:
    """Write ``hub.json`` (0600), whole or not at all.

    Raises:
        PersonMustAct: it can't be written.
    """
    content = {
        "host": enrolment.host,
        "port": enrolment.port,
        "fingerprint": enrolment.certificate.fingerprint,
        "certificate": enrolment.certificate.pem,
        "name": enrolment.name,
        "enrolled": enrolment.enrolled.isoformat(timespec="seconds"),
    }
    path = folder / FILE
    try:
        write_private(path, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
    except OSError as error:
        raise PersonMustAct(f"{path}: {error.strerror}; give the folder to the user that runs Moodify") from error


def forget(folder: Path) -> bool:
    """Remove ``hub.json``, damaged or not; return whether there was one.

    Raises:
        PersonMustAct: it can't be removed.
    """
    path = folder / FILE
    try:
        path.unlink()
        sync_folder(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise PersonMustAct(f"{path}: {error.strerror}; give the folder to the user that runs Moodify") from error
    return True


def enrol(folder: Path, host: str, port: int, fingerprint: str, *, name: str | None = None, now: datetime, timeout_s: float = TIMEOUT_S) -> Enrolment:
    """Take the hub at ``host`` for this device's, where its certificate has the fingerprint that a person vouches for; return what was written.

    Args:
        folder: the data folder.
        host: its name or address.
        port: where it listens for devices.
        fingerprint: as :func:`~moodify.cloud.certificates.read_fingerprint` gives it.
        name: what it calls itself; None takes ``host``.
        now: UTC.
        timeout_s: longest wait for each step of a connect.

    Raises:
        EnrolmentRefused: it is another; nothing was written.
        LinkDown: nobody answers there.
        LinkRefused: what answers is no hub, or its certificate is not good for this address or day.
        PersonMustAct: ``hub.json`` can't be written.
    """
    certificate = fetch(host, port, timeout_s=timeout_s)
    if not same_fingerprint(certificate.fingerprint, fingerprint):
        raise EnrolmentRefused(
            f"{host}:{port} is not the hub that you mean: its certificate has the fingerprint {certificate.fingerprint}, not {fingerprint}; "
            "compare it with what moodify hub status shows on the hub itself, and trust nothing between the two until you know why they differ"
        )
    try_out(host, port, certificate)
    enrolment = Enrolment(host, port, certificate, name or host, now)
    save(folder, enrolment)
    return enrolment


def try_out(host: str, port: int, certificate: Certificate) -> None:
    """Connect to a hub as the link will, so that what stands in its way is said now.

    Raises:
        LinkDown: nobody answers there.
        LinkRefused: its certificate is another, or not good for this address or day.
    """
    open_socket(Endpoint(host, port, tls=True, ca_data=certificate.pem)).close()


def hub_command(identity: Identity) -> str:
    """Return the line that a person runs on the hub so that it knows this device."""
    return f"moodify hub enroll {identity.device} {enrolled_as(identity.device, identity.key.public_key())}"


def shut_out(hub: Enrolment, identity: Identity) -> str:
    """Return what a person is told where the hub does not let this device in."""
    return f"the hub {hub.host}:{hub.port} does not let this device in: it was not enrolled there, or was shut out; there, run: {hub_command(identity)}"


def delivery_of(link: LinkConfig) -> Delivery:
    """Return when a summary counts as arrived: as configured, else at the hub where this device goes to one, for it does where no broker is named."""
    if link.delivery is not None:
        return Delivery(link.delivery)
    return Delivery.HUB if link.host is None else Delivery.BROKER


def _read(value: Mapping[str, object]) -> Enrolment:
    certificate, port = Certificate.from_pem(_text(value["certificate"])), value["port"]
    if type(port) is not int or port not in _PORTS or not same_fingerprint(certificate.fingerprint, _text(value["fingerprint"])):
        raise ValueError("no port, or another certificate's fingerprint")
    return Enrolment(_text(value["host"]), port, certificate, _text(value["name"]), datetime.fromisoformat(_text(value["enrolled"])).astimezone(UTC))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value
