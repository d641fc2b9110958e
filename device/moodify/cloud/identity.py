"""Who this device is: a key that it made itself and that never leaves it.

The device id is the beginning of the first key's thumbprint (RFC 7638), so it needs no registry. It stays when the key is changed,
and is kept beside the key:

- ``device.key``, what it signs with;
- ``device.id``, written once;
- ``device.key.next``, while a new key waits until the hub knows it (:mod:`moodify.cloud.rotation`).
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, is_device_id, kid_of, pem_of
from moodify.errors import PersonMustAct
from moodify.files import sync_folder, write_private

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

#: How long a token is good for. It is looked at when connecting; a gate may cut the connection at its end.
TOKEN_LIFETIME = timedelta(hours=1)
_ID_FILE = "device.id"


@dataclass(frozen=True, slots=True)
class Identity:
    """The device's id and a key of it."""

    device: str
    """``m-`` and 16 characters of base32: 80 bits of the first key's thumbprint."""
    kid: str
    """The whole thumbprint of this key, base64url."""
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public_pem(self) -> str:
        """The public key, as a hub enrols it."""
        return pem_of(self.key.public_key())

    def token(self, audience: str, now: datetime) -> str:
        """Return a fresh ES256 token (JWT) for ``audience``, good for an hour from ``now``."""
        claims = {"sub": self.device, "aud": audience, "iat": now, "exp": now + TOKEN_LIFETIME, "jti": str(uuid.uuid4())}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})


def load_or_make(path: Path) -> Identity:
    """Return the identity whose key is at ``path``; on the first start, make it (0600).

    Each file appears complete and on the disk or not at all, and one that is there is never overwritten.

    Raises:
        PersonMustAct: it is damaged, others may read it, or the folder cannot be written.
    """
    try:
        if not path.exists():
            make_key(path)
        key = read_key(path)
        kept = path.with_name(_ID_FILE)
        if not kept.exists():
            # The key of an installation without this file was never changed.
            _put_once(kept, f"{device_of(key.public_key())}\n".encode())
        # A change of keys that a crash has cut short is on the disk before anybody hears of it.
        sync_folder(path.parent)
    except OSError as error:
        raise PersonMustAct(f"the device key {path}: {error.strerror}; give it and its folder to the user that runs Moodify") from error
    return _identity(path, key)


def load(path: Path) -> Identity:
    """Return the identity whose key is at ``path``, and write nothing.

    Raises:
        PersonMustAct: there is none, it is damaged, or others may read it.
    """
    try:
        key = read_key(path)
    except FileNotFoundError as error:
        raise PersonMustAct(f"there is no device key {path} yet; the first start makes it: moodify run, or moodify device enroll") from error
    except OSError as error:
        raise PersonMustAct(f"the device key {path}: {error.strerror}; give it and its folder to the user that runs Moodify") from error
    return _identity(path, key)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the private key in a file.

    Raises:
        OSError: it can't be read.
        PersonMustAct: it is damaged, or others may read it.
    """
    mode = path.stat().st_mode & 0o777
    pem = path.read_bytes()
    if mode & 0o077:
        raise PersonMustAct(f"others may read the device key {path} (mode {mode:04o}); if nobody has copied it run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise PersonMustAct(f"the device key {path} is damaged; restore it from a backup, or delete it and enrol the device anew") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PersonMustAct(f"the device key {path} is not an ES256 (P-256) key; restore it from a backup, or delete it and enrol the device anew")
    return key


def make_key(path: Path) -> None:
    """Put a new private key (0600) at ``path``, unless there is a file already.

    Raises:
        OSError: it can't be written.
    """
    _put_once(path, ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _identity(path: Path, key: ec.EllipticCurvePrivateKey) -> Identity:
    kept = path.with_name(_ID_FILE)
    try:
        device = kept.read_text("utf-8").strip()
    except FileNotFoundError:
        device = device_of(key.public_key())
    except (OSError, ValueError) as error:
        raise PersonMustAct(f"{kept}: can't be read ({error}); give it to the user that runs Moodify") from error
    if not is_device_id(device):
        raise PersonMustAct(f"{kept} is damaged; restore it from a backup. Where the key was never changed you may delete it: it is made anew from the key")
    return Identity(device, kid_of(key.public_key()), key)


def _put_once(path: Path, content: bytes) -> None:
    own = path.with_name(f".{path.name}.{uuid.uuid4()}")
    try:
        write_private(own, content)
        # A rename would take the place of what another start has made meanwhile; a link is refused then, and that one is the device's.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(own)
    finally:
        own.unlink(missing_ok=True)
    sync_folder(path.parent)
