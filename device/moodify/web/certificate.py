"""Certificates of a service's own: self-signed, known by their fingerprints to devices and to careful people.

Such a certificate serves as what it is, a server's, and vouches for nothing else (CA false). Pinned, it passes OpenSSL's
strict checks too (``ssl.VERIFY_X509_STRICT``, Python 3.13's default): basic constraints and key usage are critical, and both key identifiers are there.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from moodify.cloud.certificates import Certificate
from moodify.errors import CannotWork, PersonMustAct
from moodify.files import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Apple's systems refuse a server's certificate that holds longer than 825 days.
BROWSERS_LIFETIME = timedelta(days=820)
#: So long before its end a new one is made at the next start, as an appliance may run for months until the one after that.
_RENEWED_BEFORE = timedelta(days=365)
#: Who has a clock that is behind by less takes a certificate that was just made.
_BEFORE = timedelta(days=1)
_LONGEST_NAME = 253
_NONE = "this is no certificate (PEM); put it back from a backup, or delete it so that another is made"
_MEND = "put back both from a backup, or delete both so that others are made"


def make(certificate: Path, key: Path, names: Iterable[str], *, title: str = "Moodify", lifetime: timedelta = BROWSERS_LIFETIME, now: datetime | None = None) -> None:
    """Write a new key and certificate (0600 both) for ``names``, which are host names and addresses; ``title`` is shown to people.

    Raises:
        CannotWork: a name is neither.
        OSError: they can't be written.
    """
    begin = datetime.now(UTC) if now is None else now
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    public = private.public_key()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _BEFORE)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_signs_only(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in dict.fromkeys(names)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )
    # The key first: a certificate that is there has its key.
    write_private(key, private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    write_private(certificate, built.public_bytes(serialization.Encoding.PEM))


def ensure(certificate: Path, key: Path, names: Iterable[str], *, title: str = "Moodify", now: datetime | None = None) -> None:
    """Make a certificate for browsers where there is none, where it ends soon, or where ``names``, which the owner gives, has one that is not in it.

    This machine's own names and addresses are added when one is made; addresses come and go, and are no reason for another.

    Raises:
        CannotWork: a name is neither a host name nor an address.
        PersonMustAct: what is there is no certificate, or can't be read, or the folder can't be written.
    """
    wanted = list(names)
    at = datetime.now(UTC) if now is None else now
    try:
        if certificate.exists() and key.exists():
            pem = certificate.read_text("ascii", errors="replace")
            if {name.lower() for name in wanted} <= set(names_of(pem)) and at < _first(pem).not_valid_after_utc - _RENEWED_BEFORE:
                return
        make(certificate, key, [*own_names(), *wanted], title=title, now=at)
    except OSError as error:
        raise PersonMustAct(f"{error.filename or certificate}: {error.strerror}; give {certificate.parent} to the user that runs Moodify") from error


def own_names() -> list[str]:
    """Return the names and addresses that this machine is likely reached by, loopback's too."""
    host = socket.gethostname()
    names = [host, *([] if "." in host else [f"{host}.local"]), "localhost", "127.0.0.1", "::1", *outward_addresses()]
    return [name for name in dict.fromkeys(names) if _is_name(name)]


def outward_addresses() -> list[str]:
    """Return the addresses that others see when this machine speaks to them, IPv4 first; none without a network."""
    addresses = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # Connecting a datagram socket sends nothing; it only says from which address one would (RFC 5737 and 3849 keep these for examples).
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            addresses.append(str(probe.getsockname()[0]))
    return addresses


def reached_at(host: str) -> str:
    """Return the address to tell others, for a service that listens on ``host``."""
    if not ipaddress.ip_address(host).is_unspecified:
        return host
    return next(iter(outward_addresses()), socket.gethostname())


def names_of(pem: str) -> list[str]:
    """Return the names and addresses in a certificate.

    Raises:
        PersonMustAct: it is none.
    """
    try:
        names = _first(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *(str(address) for address in names.get_values_for_type(x509.IPAddress))]


def fingerprint(pem: str) -> str:
    """Return what a certificate is known by (the first, where there are several): ``sha256:`` and 64 hex digits.

    Raises:
        PersonMustAct: it is none.
    """
    try:
        return Certificate.from_pem(pem).fingerprint
    except ValueError as error:
        raise PersonMustAct(_NONE) from error


def shown_to_people(fingerprint: str) -> str:
    """Return a fingerprint as browsers show it: ``SHA-256 AB:CD:…``."""
    digits = fingerprint.rpartition(":")[2].upper()
    return f"SHA-256 {':'.join(digits[at : at + 2] for at in range(0, len(digits), 2))}"


def server_context(certificate: Path, key: Path, *, mend: str = _MEND) -> ssl.SSLContext:
    """Return what a server needs to encrypt, TLS 1.2 and later; ``mend`` says what to do where the files are no good.

    Raises:
        PersonMustAct: the files can't be read, are no certificate and key, or do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A passphrase can't be asked for: an empty one makes OpenSSL say that it is wrong.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise PersonMustAct(f"{certificate} and {key} are no certificate with its key ({error.reason or 'not PEM'}); {mend}") from error
    except OSError as error:
        missing = next((file for file in (certificate, key) if not file.exists()), certificate)
        raise PersonMustAct(f"{missing}: {error.strerror}; run this as the user that it belongs to, or {mend}") from error
    return context


def _first(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise PersonMustAct(_NONE) from error


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_name(name: str) -> bool:
    try:
        _general(name)
    except CannotWork:
        return False
    return True


def _general(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    labels = name.split(".")
    if len(name) <= _LONGEST_NAME and name.isascii() and all(label and label.replace("-", "").isalnum() and label.strip("-") == label for label in labels):
        return x509.DNSName(name.lower())
    raise CannotWork(f"names: {name!r} is neither a host name nor an address; write it as hub.home or 192.168.1.20")
