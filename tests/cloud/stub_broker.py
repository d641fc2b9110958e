"""A broker of MQTT 5 that misbehaves exactly as it is told."""

from __future__ import annotations

import socketserver
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    import ssl


class StubBroker(socketserver.ThreadingTCPServer):
    """Accepts anybody; its attributes are the levers."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, tls: ssl.SSLContext | None = None):
        self.tls = tls
        self.connack: bytes | None = connack(0)
        """The packet that answers CONNECT; None keeps silent."""
        self.puback = lambda payload: 0
        """Reason code for a publish; None keeps silent."""
        self.suback = lambda topics: [1] * len(topics)
        """Reason codes for the topics of a subscription; None keeps silent."""
        self.subscribed: list[str] = []
        """Topics, in the order of arrival, over all connections."""
        self.published: list[tuple[str, bytes, bool]] = []
        """Topic, payload, retained: in the order of arrival, over all connections."""
        self.connects: list[bytes] = []
        self.pubacks: list[int] = []
        """Packet ids that a device has acknowledged."""
        self.connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def events(self):
        return [payload for topic, payload, _ in self.published if topic.endswith("/up/ev")]

    def say(self, packet: bytes):
        """Send a packet to whoever connected last."""
        self.connections[-1].sendall(packet)

    def server_close(self):
        for connection in self.connections:
            connection.close()
        super().server_close()

    def __exit__(self, *args):
        self.shutdown()
        self._thread.join()
        super().__exit__(*args)


def connack(code: int, properties: bytes = b"") -> bytes:
    return bytes([0x20, 3 + len(properties), 0, code, len(properties)]) + properties


def disconnect(code: int) -> bytes:
    return bytes([0xE0, 2, code, 0])


def publish(topic: str, payload: bytes, *, mid: int | None = None, retain: bool = False) -> bytes:
    """Return a PUBLISH, with QoS 1 where it has a packet id."""
    number = b"" if mid is None else struct.pack("!H", mid)
    body = struct.pack("!H", len(topic)) + topic.encode() + number + b"\0" + payload
    return bytes([0x30 | (2 if mid else 0) | retain]) + _varint(len(body)) + body


def _topics(body: bytes) -> list[str]:
    topics, at = [], 3 + body[2]
    while at < len(body):
        end = at + 2 + struct.unpack("!H", body[at : at + 2])[0]
        topics.append(body[at + 2 : end].decode())
        at = end + 1
    return topics


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


class _Handler(socketserver.StreamRequestHandler):
    server: StubBroker

    def setup(self):
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        self.server.connections.append(self.request)
        super().setup()

    def handle(self):
        try:
            if self.server.tls is not None:
                self.request.do_handshake()
            while (kind := self.rfile.read(1)) != b"":
                body = self.rfile.read(self._length())
                self._answer(kind[0], body)
        except OSError:
            return  # the client is gone

    def finish(self):
        try:
            super().finish()
        except OSError:
            return

    def _length(self):
        value, shift = 0, 0
        while True:
            digit = self.rfile.read(1)[0]
            value |= (digit & 0x7F) << shift
            if digit < 0x80:
                return value
            shift += 7

    def _answer(self, kind, body):
        if kind == 0x10:
            self.server.connects.append(body)
            if self.server.connack is not None:
                self.request.sendall(self.server.connack)
        elif kind == 0x82:
            topics = _topics(body)
            self.server.subscribed += topics
            codes = self.server.suback(topics)
            if codes is not None:
                self.request.sendall(bytes([0x90, 3 + len(codes), *body[:2], 0, *codes]))
        elif kind == 0x40:
            self.server.pubacks.append(struct.unpack("!H", body[:2])[0])
        elif kind == 0xC0:
            self.request.sendall(b"\xd0\0")
        elif kind & 0xF0 == 0x30:
            end = 2 + struct.unpack("!H", body[:2])[0]
            payload = body[end + 3 :]
            code = self.server.puback(payload)
            self.server.published.append((body[2:end].decode(), payload, bool(kind & 1)))
            if code is not None:
                self.request.sendall(bytes([0x40, 4, *body[end : end + 2], code, 0]))
