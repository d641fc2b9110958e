"""A gate over a real mosquitto and a real SQLite, devices that are enrolled there, and a client that sends what a test makes it send."""

import asyncio
import base64
import json
import socket
import threading
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, kid_of, pem_of
from moodify.cloud.mqtt import Acked, Connected, Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Endpoint
from moodify.hub.database import open_database
from moodify.hub.gate.packets import text, varint
from moodify.hub.gate.server import Gate
from moodify.hub.mosquitto import HUB, OBSERVER, Mosquitto
from waiting import wait_until

CONNACK, DISCONNECT, PUBLISH, PUBACK, SUBACK = 0x20, 0xE0, 0x30, 0x40, 0x90


class Peer:
    """A device's key, and the tokens that can be made with it."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = device_of(self.key.public_key())
        self.kid = kid_of(self.key.public_key())
        self.pem = pem_of(self.key.public_key())

    def claims(self, *, lives_s=3600, without=(), at=None, **others):
        at = at or datetime.now(UTC)
        claims = {"sub": self.id, "aud": "moodify", "iat": at, "exp": at + timedelta(seconds=lives_s), "jti": str(uuid.uuid4()), **others}
        return {name: value for name, value in claims.items() if name not in without}

    def token(self, *, key=None, kid=None, **claims):
        return jwt.encode(self.claims(**claims), key or self.key, algorithm="ES256", headers={"kid": kid or self.kid})


class GatedHub:
    """A hub's mosquitto, registry and gate, closed in reverse."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.now = lambda: datetime.now(UTC)
        """The gate's clock."""
        self._stack = ExitStack()
        self.mosquitto = self._stack.enter_context(Mosquitto(folder / "run"))
        self.mosquitto.start()
        self.database = self._stack.enter_context(open_database(folder / "hub.db"))
        self.registry = options.pop("registry", lambda registry: registry)(self.database.registry)
        self.gate = self._stack.enter_context(running_gate(self.registry, lambda: self.mosquitto.socket, now=self._ask_the_clock, **options))
        self.port = self.gate.port

    def _ask_the_clock(self):
        return self.now()

    def enrol(self):
        peer = Peer()
        self.database.registry.enrol(peer.id, peer.pem, datetime.now(UTC))
        return peer

    def raw(self):
        """Return a client that has said nothing yet."""
        return self._stack.enter_context(Raw(self.port))

    def sign_in(self, peer, *, token=None, **options):
        """Return a client and the reason code of the answer to its CONNECT."""
        client = self.raw()
        client.send(connect(peer.id, username=peer.id, password=token or peer.token(), **options))
        first, body = client.packet()
        assert first == CONNACK
        return client, body[1]

    def signed_in(self, peer, **options):
        """Return a client that was let in."""
        client, code = self.sign_in(peer, **options)
        assert code == 0
        return client

    def hub(self):
        """Return the hub's own client, which hears what devices say, once it does."""
        return self._own(HUB, f"hub-{uuid.uuid4()}")

    def observer(self):
        return self._own(OBSERVER, f"observer-{uuid.uuid4()}")

    def _own(self, user, client_id):
        ears = Ears(Connection(Endpoint("", 0, tls=False, socket=self.mosquitto.socket), Credentials(user, None), client_id=client_id, session_s=0))
        self._stack.callback(ears.close)
        ears.until(Connected)
        ears.connection.subscribe("moodify/v1/+/up/#")
        ears.until(Subscribed)
        return ears

    def counted(self, name):
        return self.gate.counters[name]

    def close(self):
        self._stack.close()


class Ears:
    """One of cloud.mqtt's connections and what came over it."""

    def __init__(self, connection):
        self.connection = connection
        self.signals = []

    def poll(self):
        self.signals += self.connection.step(0.02)
        return self.signals

    def until(self, kind, condition=lambda signal: True):
        return wait_until(lambda: next((one for one in self.poll() if isinstance(one, kind) and condition(one)), None), what=lambda: f"{kind} ({self.signals})", every_s=0)

    def heard(self):
        return [(one.topic, one.payload) for one in self.poll() if isinstance(one, Received)]

    def hears(self, topic, payload):
        return self.until(Received, lambda one: (one.topic, one.payload) == (topic, payload))

    def says(self, topic, payload, *, retain=False):
        """Publish and return the PUBACK's code."""
        mid = self.connection.publish(topic, payload, retain=retain)
        return self.until(Acked, lambda one: one.mid == mid).code

    def close(self):
        self.connection.close()


@contextmanager
def running_gate(registry, upstream, **options):
    """Give a gate that listens, on an event loop of a thread of its own."""
    loop = asyncio.new_event_loop()
    troubles = []
    loop.set_exception_handler(lambda _, context: troubles.append(context))
    thread = threading.Thread(target=loop.run_forever, name="gate")
    thread.start()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    gate = Gate(registry, upstream, **options)
    gate.loop = loop
    try:
        run(gate.start())
        yield gate
    finally:
        run(gate.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert troubles == []


class Raw:
    """A socket, and packets of MQTT."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self._got = b""

    def send(self, data):
        self.socket.sendall(data)

    def packet(self):
        """Return the first byte and the body of the next packet; None at the end."""
        first = self._take(1)
        if not first:
            return None
        size, shift = 0, 0
        while True:
            byte = self._take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return first[0], self._take(size)

    def recv(self):
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def _take(self, size):
        while len(self._got) < size:
            part = self.recv()
            if not part:
                assert not self._got, "the connection ended in a packet"
                return b""
            self._got += part
        taken, self._got = self._got[:size], self._got[size:]
        return taken

    def until_end(self):
        """Return all packets until the connection ends."""
        return list(iter(self.packet, None))

    def publish(self, topic, payload=b"{}", *, retain=False):
        """Publish with QoS 1 and return the PUBACK's code."""
        self.send(packet(PUBLISH | 2 | retain, text(topic) + b"\0\1" + b"\0" + payload))
        while True:
            first, body = self.packet()
            if first == PUBACK:
                return body[2] if len(body) > 2 else 0

    def subscribe(self, *filters):
        self.send(packet(0x82, b"\0\2" + b"\0" + b"".join(text(one) + b"\1" for one in filters)))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def packet(first, body):
    return bytes((first,)) + varint(len(body)) + body


def connect(client_id, *, username=None, password=None, will=None, will_delay_s=0, session_s=300, clean=False, keepalive_s=30, version=5, properties=b""):
    """Return a CONNECT."""
    password = password.encode() if isinstance(password, str) else password
    flags = 2 * clean | (0x2C if will else 0) | 0x80 * (username is not None) | 0x40 * (password is not None)
    properties = b"\x11" + session_s.to_bytes(4) + properties
    body = text("MQTT") + bytes((version, flags)) + keepalive_s.to_bytes(2)
    body += (varint(len(properties)) + properties if version == 5 else b"") + text(client_id)
    if will:
        body += b"\x05\x18" + will_delay_s.to_bytes(4) + text(will[0]) + len(will[1]).to_bytes(2) + will[1]
    if username is not None:
        body += text(username)
    if password is not None:
        body += len(password).to_bytes(2) + password
    return packet(0x10, body)


def encoded(content):
    """Return a part of a token."""
    return base64.urlsafe_b64encode(content if isinstance(content, bytes) else json.dumps(content).encode()).decode().rstrip("=")
