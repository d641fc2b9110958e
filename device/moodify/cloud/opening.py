"""Opens the way to a broker: a unix socket, TCP on this machine, or TLS; and says of a certificate what is wrong with it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moodify.errors import LinkDown, LinkRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moodify.cloud.port import Endpoint

#: Longest wait for TCP, and for the TLS handshake, in seconds.
CONNECT_TIMEOUT_S = 10.0
#: When to look again at a certificate that is not good yet: the clock may be set any moment.
CLOCK_RETRY_S = 5.0
#: Longest path of a unix socket, in bytes (sun_path of unix(7), without its end).
_SOCKET_PATH = 107

# X509_V_ERR_… of openssl/x509_vfy.h.
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_NAME = {62, 64}
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21, 27}


def where(endpoint: Endpoint) -> str:
    """Return an endpoint's address, for a person."""
    return f"{endpoint.host}:{endpoint.port}" if endpoint.socket is None else str(endpoint.socket)


def open_socket(endpoint: Endpoint) -> socket.socket:
    """Return a connected socket; over TLS the broker has shown that it is who it should be.

    Raises:
        LinkDown: nobody answers there, or its certificate is not good yet: this device's clock may be behind.
        LinkRefused: its certificate is not good, or it is on another machine and not encrypted.
    """
    if endpoint.socket is None and not endpoint.tls and not _loopback(endpoint.host):
        raise LinkRefused(f"the broker {where(endpoint)} is not on this machine and not encrypted; set [link] tls = true")
    context = _context(endpoint) if endpoint.tls and endpoint.socket is None else None
    try:
        if endpoint.socket is not None:
            return _unix(endpoint.socket)
        plain = socket.create_connection((endpoint.host, endpoint.port), CONNECT_TIMEOUT_S)
        if context is None:
            return plain
        return _encrypted(plain, context, endpoint)
    except (OSError, ValueError) as error:
        raise LinkDown(f"the broker {where(endpoint)} cannot be reached: {_words(error)}") from error


def _words(error: OSError | ValueError) -> str:
    """Return what went wrong without where in OpenSSL or the C library, which tells a person nothing."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _encrypted(plain: socket.socket, context: ssl.SSLContext, endpoint: Endpoint) -> ssl.SSLSocket:
    try:
        # It closes the plain one where the handshake fails.
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as error:
        raise _refusal(endpoint, error) from error
    except (ssl.SSLError, ConnectionError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise LinkDown(f"the broker {where(endpoint)} does not answer in TLS ({reason}); check [link] port: 8883 is the usual one with TLS") from error


def _unix(path: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Blocking: while a listener's queue is full, one that does not wait looks connected.
        with _short(path) as address:
            opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= _SOCKET_PATH:
        yield str(path)
        return
    # The folder's handle stands for its path, which is too long for the system call.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    own = endpoint.ca_file is not None or endpoint.ca_data is not None
    try:
        context = ssl.create_default_context(cafile=None if endpoint.ca_file is None else str(endpoint.ca_file), cadata=endpoint.ca_data)
    except OSError as error:
        source = f"the file {endpoint.ca_file}" if endpoint.ca_data is None else "the certificate kept since enrolment"
        advice = "correct [link] ca_file" if endpoint.ca_data is None else "enrol this device again: moodify device enroll"
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise LinkRefused(f"{source}, which says whom to trust, cannot be read: {reason}; {advice}") from error
    if own:
        # What an owner names is trusted as it is, an authority or the broker's own certificate: the same under every Python,
        # of which 3.13 by itself also asks for extensions that authorities made at home do not have.
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    return context


def _refusal(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> LinkDown | LinkRefused:
    whose = f"the certificate of the broker {where(endpoint)}"
    enrolled = endpoint.ca_data is not None
    if error.verify_code == _NOT_YET_VALID:
        said = f"{whose} is not good yet; this device's clock says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: if that is wrong, connect the network so that it is set"
        return LinkDown(said, retry_after_s=CLOCK_RETRY_S)
    if error.verify_code == _EXPIRED:
        renew = "make the hub a new one and enrol this device again: moodify device enroll" if enrolled else "renew it on the broker"
        return LinkRefused(f"{whose} has expired; {renew} (this device's clock says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC)")
    if error.verify_code in _OTHER_NAME:
        name = "enrol this device again with a name that is in it: moodify device enroll" if enrolled else "set [link] host to a name that is in it"
        return LinkRefused(f"{whose} is for another name than {endpoint.host}; {name}")
    if error.verify_code in _UNKNOWN_AUTHORITY:
        if enrolled:
            return LinkRefused(f"{whose} is not the one that this device was enrolled with; if the hub has a new one, enrol again: moodify device enroll")
        trusted = "the system's authorities know" if endpoint.ca_file is None else f"{endpoint.ca_file} knows"
        return LinkRefused(f"{whose} is signed by none that {trusted}; set [link] ca_file to the certificate of its authority")
    return LinkRefused(f"{whose} is not good: {error.verify_message}; make the broker a new one")
