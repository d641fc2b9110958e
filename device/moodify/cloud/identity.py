"""Who this device is: a key that it made itself and that never leaves it.

The device id is the beginning of the public key's thumbprint (RFC 7638), so it needs no registry.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from moodify.errors import PersonMustAct
from moodify.files import sync_folder, write_private

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

#: How long a token is good for. It is looked at when connecting; a gate may cut the connection at its end.
TOKEN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """The device's id and key."""

    device: str
    """``m-`` and 16 characters of base32: 80 bits of the thumbprint."""
    kid: str
    """The whole thumbprint, base64url."""
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public_pem(self) -> str:
        """The public key, as a hub enrols it."""
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, audience: str, now: datetime) -> str:
        """Return a fresh ES256 token (JWT) for ``audience``, good for an hour from ``now``."""
        claims = {"sub": self.device, "aud": audience, "iat": now, "exp": now + TOKEN_LIFETIME, "jti": str(uuid.uuid4())}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})


def load_or_make(path: Path) -> Identity:
    """Return the identity whose key is at ``path``; on the first start, make it (0600).

    The file appears complete and on the disk or not at all, and one that is there is never overwritten.

    Raises:
        PersonMustAct: it is damaged, others may read it, or the folder cannot be written.
    """
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode & 0o777
        pem = path.read_bytes()
    except OSError as error:
        raise PersonMustAct(f"the device key {path}: {error.strerror}; give it and its folder to the user that runs Moodify") from error
    if mode & 0o077:
        raise PersonMustAct(f"others may read the device key {path} (mode {mode:04o}); if nobody has copied it run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise PersonMustAct(f"the device key {path} is damaged; restore it from a backup, or delete it and enrol the device anew") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PersonMustAct(f"the device key {path} is not an ES256 (P-256) key; restore it from a backup, or delete it and enrol the device anew")
    thumbprint = _thumbprint(key.public_key())
    return Identity(
        device="m-" + base64.b32encode(thumbprint).decode().lower()[:16],
        kid=base64.urlsafe_b64encode(thumbprint).decode().rstrip("="),
        key=key,
    )


def _thumbprint(key: ec.EllipticCurvePublicKey) -> bytes:
    # RFC 7638: the required members only, sorted, without white space.
    jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    return hashlib.sha256(json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True).encode()).digest()


def _make(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    own = path.with_name(f".{path.name}.{uuid.uuid4()}")
    try:
        write_private(own, pem)
        # A rename would take the place of a key that another start has made meanwhile; a link is refused then, and that key is the device's.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(own)
    finally:
        own.unlink(missing_ok=True)
    sync_folder(path.parent)
