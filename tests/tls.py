"""A TLS server on loopback with a certificate of its own, for the tests of whoever connects to one."""

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

from moodify.hub import certificate


def make_certificate(folder, *, names=("localhost", "127.0.0.1"), now=None):
    """Make a certificate and its key; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "certificate.pem", folder / "certificate.key"
    certificate.make(*files, names, now=now if now is not None else datetime.now(UTC))
    return files


@contextmanager
def tls_server(files, *, said=None):
    """Give the port of a server that shakes hands with everyone; what clients send is added to ``said``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while not ended.is_set():
                connection, _ = server.accept()
                connection.settimeout(5)
                try:
                    with context.wrap_socket(connection, server_side=True) as encrypted:
                        while part := encrypted.recv(1000):
                            if said is not None:
                                said.append(part)
                except OSError:
                    # Whoever only looked at the certificate, or did not like it, hangs up.
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        try:
            yield port
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()
