"""Public keys of devices: how they are read, written in one line, and named. For the device and for the hub."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.errors import EnrolmentRefused

#: A PEM of a P-256 key has 178 characters; what is longer than this is not read.
_LONGEST = 1000
#: The shortest form that has both halves of a point, which a slip of a letter takes off the curve; what is shorter is a key whatever its letters are.
_WHOLE = 87
_DEVICE_ID = re.compile(r"m-[a-z2-7]{16}")


def is_device_id(text: str) -> bool:
    """Return whether ``text`` is the id of a device: ``m-`` and 16 characters of base32."""
    return _DEVICE_ID.fullmatch(text) is not None


def kid_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return the whole thumbprint of a key (RFC 7638), base64url without padding: 43 characters."""
    return _base64url(_thumbprint(key))


def device_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return the id of the device whose first key this is: 80 bits of the thumbprint. It stays when the key is changed."""
    return "m-" + base64.b32encode(_thumbprint(key)).decode().lower()[:16]


def fingerprint_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return ``sha256:`` and the SHA-256 of the key (DER SubjectPublicKeyInfo) in hex, as openssl gives it."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def pem_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return a key as PEM (SubjectPublicKeyInfo), the form that is stored and sent."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def line_of(key: ec.EllipticCurvePublicKey) -> str:
    """Return a key in 44 characters that no shell takes for its own: the compressed point (SEC 1, 2.3.3) in base64url.

    It begins with ``A``, never with a dash. A slip of a letter makes another key of it, so that it is good for enrolment (:func:`read_enrolled`) as long as
    the device's id speaks for it.
    """
    return _base64url(key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint))


def enrolled_as(device_id: str, key: ec.EllipticCurvePublicKey) -> str:
    """Return a key as :func:`read_enrolled` takes it: :func:`line_of`'s form, or for a device that has changed its key the whole point, 87 characters from ``B`` on."""
    if device_of(key) == device_id:
        return line_of(key)
    return _base64url(key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint))


def read_enrolled(device_id: str, text: str) -> ec.EllipticCurvePublicKey:
    """Return the public key that somebody gave for a device, as :func:`read_public` reads it.

    Raises:
        EnrolmentRefused: it is none, or id and key were not copied right: neither fits the other, and the key has nothing by which it would be known to be whole.
    """
    key = read_public(text)
    if len(text.strip()) < _WHOLE and device_of(key) != device_id:
        raise EnrolmentRefused(f"this key is not the one of {device_id}: a letter of one of the two is wrong; copy the whole line that moodify device enroll prints on the device")
    return key


def read_public(text: str) -> ec.EllipticCurvePublicKey:
    """Return the public key that somebody gave: :func:`line_of`'s form, PEM, or DER in base64, with or without padding.

    Raises:
        EnrolmentRefused: it is none, or is not on P-256.
    """
    given = text.strip()
    try:
        if len(given) > _LONGEST:
            raise ValueError("too long")
        key = _read(given)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm) as error:
        raise EnrolmentRefused("this is no public key; copy the whole line that moodify device enroll prints on the device") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EnrolmentRefused("this public key is not an ES256 (P-256) key; take the one that moodify device enroll prints on the device")
    return key


def _read(given: str) -> object:
    if given.startswith("-----BEGIN"):
        return serialization.load_pem_public_key(given.encode("ascii"))
    letters = given.translate(str.maketrans("-_", "+/")).rstrip("=")
    content = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    # The first byte of a point says its form; a DER structure begins with 0x30.
    if content[:1] in {b"\x02", b"\x03", b"\x04"}:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), content)
    return serialization.load_der_public_key(content)


def _thumbprint(key: ec.EllipticCurvePublicKey) -> bytes:
    # RFC 7638, 3: the required members only, sorted, without white space.
    numbers = key.public_numbers()
    x, y = (_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
