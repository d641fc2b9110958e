"""Certificates that are known by their fingerprint rather than by an authority: a hub's own, which no authority signs."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from moodify.errors import CannotWork, LinkDown, LinkRefused

if TYPE_CHECKING:
    from datetime import datetime

#: Longest wait for each step of a connect, in seconds.
TIMEOUT_S = 10.0
_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS server shows of itself."""

    pem: str
    fingerprint: str
    """``sha256:`` and the SHA-256 of its DER form: 64 hex digits, as openssl gives them without the colons."""
    expires: datetime
    """UTC."""

    @classmethod
    def from_pem(cls, pem: str) -> Certificate:
        """Read one; the first, where more stand behind it.

        Raises:
            ValueError: it is none.
        """
        return cls.from_der(x509.load_pem_x509_certificate(pem.encode("ascii")).public_bytes(Encoding.DER))

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Read one.

        Raises:
            ValueError: it is none.
        """
        found = x509.load_der_x509_certificate(der)
        return cls(found.public_bytes(Encoding.PEM).decode("ascii"), _fingerprint(der), found.not_valid_after_utc)


def read_fingerprint(text: str) -> str:
    """Return a fingerprint as it is kept, from what somebody typed: in capitals, with colons or blanks between the digits, or with openssl's words before it.

    Raises:
        CannotWork: it is none.
    """
    digits = re.sub(r"^\s*sha-?256\s*(fingerprint)?\s*[:=]?", "", text, flags=re.IGNORECASE)
    digits = re.sub(r"[:\s]", "", digits).lower()
    if re.fullmatch(r"[0-9a-f]{64}", digits) is None:
        raise CannotWork(f"{text!r} is no fingerprint; write sha256: and the 64 hex digits that the hub shows with: moodify hub status")
    return _PREFIX + digits


def same_fingerprint(one: str, other: str) -> bool:
    """Return whether two fingerprints are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def fetch(host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> Certificate:
    """Return the certificate that a TLS server shows, believing nothing of it and telling the server nothing.

    Raises:
        LinkDown: nobody answers there.
        LinkRefused: what answers does not speak TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # It is the question, not the answer: whoever asks compares what comes with a fingerprint.
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as plain, context.wrap_socket(plain, server_hostname=host) as encrypted:
            der = encrypted.getpeercert(binary_form=True)
        if der is None:
            raise ssl.SSLError("it shows no certificate")
        return Certificate.from_der(der)
    except ssl.SSLError as error:
        raise LinkRefused(f"{host}:{port} answers, but not as a hub does ({error.reason or error}); look at the hub's address and port with: moodify hub status") from error
    except (OSError, ValueError) as error:
        raise LinkDown(f"no hub answers at {host}:{port} ({error}); start it with moodify hub serve, and look at its address and the network") from error


def _fingerprint(der: bytes) -> str:
    return _PREFIX + hashlib.sha256(der).hexdigest()
