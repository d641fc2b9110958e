"""Certificates as homes have them, made at test time."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


class Authority:
    """A certificate authority of a home: no key identifiers, no key usage, as simple scripts make them."""

    def __init__(self, folder, name):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = _builder(self._name, self._name, self._key, -DAY, DAY)
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(self._key, hashes.SHA256())
        self.pem = _pem(self._certificate)
        self.file = folder / f"{name}.pem"
        self.file.write_text(self.pem)

    def server(self, *names, begins=-DAY, ends=DAY):
        """Return the files of a certificate and its key, for a server of these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
        builder = _builder(subject, self._name, key, begins, ends)
        certificate = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False).sign(self._key, hashes.SHA256())
        certificate_file, key_file = self._folder / f"{self.file.stem}-server.pem", self._folder / f"{self.file.stem}-server.key"
        certificate_file.write_text(_pem(certificate))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        for file in (certificate_file, key_file):
            file.chmod(0o644)
        return certificate_file, key_file


def context_of(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _builder(subject, issuer, key, begins, ends):
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(now + min(begins, ends - DAY)).not_valid_after(now + ends)


def _general(name):
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
