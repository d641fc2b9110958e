"""One MQTT 5 connection over paho, driven by the thread that made it.

paho's own network thread is not used: an exception there ends it silently, ``loop_stop()`` can hang,
and its reconnect has no jitter. Its interface for a foreign event loop (``loop_read``, ``loop_write``,
``loop_misc``) has none of that. Callbacks only append a signal, and a new connection is a new client,
so that nothing that paho queued for the old one is sent twice.
"""

from __future__ import annotations

import select
import ssl
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from moodify.cloud.opening import open_socket

if TYPE_CHECKING:
    import socket

    from paho.mqtt.reasoncodes import ReasonCode

    from moodify.cloud.port import Credentials, Endpoint

#: Session Expiry Interval in seconds: above the will's delay, or the will would be sent at once.
SESSION_S = 300
#: Will Delay Interval in seconds: a restart or a new token is no "offline".
WILL_DELAY_S = 10
#: Unacknowledged messages at most; also paho's default.
IN_FLIGHT = 20
#: Packets that one :meth:`Connection.step` reads at most: a burst is handled together, and a flood does not keep the caller for ever.
BURST = 500
#: Where paho would connect if it ever came to open a socket by itself: nowhere (RFC 2606).
_NOWHERE = "moodify.invalid"
#: From this reason code on something was refused (MQTT 5.0, 2.4).
FAILURE = 0x80
#: Of a DISCONNECT or a PUBACK (MQTT 5.0, 2.4).
NOT_AUTHORIZED = 0x87
PACKET_TOO_LARGE = 0x95
QUOTA_EXCEEDED = 0x97
MAXIMUM_CONNECT_TIME = 0xA0
#: Wrong version, client id, password, rights, banned, method (MQTT 5.0, 3.2.2.2).
_NEEDS_PERSON = {0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C}


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK: the broker takes us."""

    receive_maximum: int
    """How many unacknowledged messages it takes."""
    maximum_packet: int | None
    """Largest packet that it takes, in bytes; None for no limit."""
    session_present: bool = False
    """Whether it has kept the session: its subscriptions stand, and what was not acknowledged comes again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """CONNACK with a failure, or SUBACK: once for each topic with one."""

    code: int
    reason: str
    topic: str | None = None
    """Of a subscription."""

    @property
    def needs_person(self) -> bool:
        """Whether it stays so until somebody acts."""
        return self.code in _NEEDS_PERSON


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK without a failure."""

    mid: int
    """What :meth:`Connection.subscribe` returned."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection has ended."""

    reason: str
    code: int | None = None
    """Of the broker's DISCONNECT; None where there was none."""


@dataclass(frozen=True, slots=True)
class Acked:
    """PUBACK."""

    mid: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """PUBLISH."""

    topic: str
    payload: bytes
    retained: bool
    mid: int = 0
    qos: int = 0
    expiry_s: int | None = None
    """Message Expiry Interval that was left when it came, in seconds; None where it has none."""
    arrived_s: float = 0.0
    """When it came, on ``time.monotonic()``."""


Signal = Connected | Refused | Subscribed | Lost | Acked | Received


class Retained(IntEnum):
    """Which retained messages a subscription brings (Retain Handling; MQTT 5.0, 3.8.3.1)."""

    ALWAYS = 0
    IF_NEW = 1
    """Only where the session did not have the subscription."""
    NEVER = 2


def shared(group: str, topic: str) -> str:
    """Return the topic filter of a subscription whose messages go to one member of ``group`` each; it brings none that are retained."""
    return f"$share/{group}/{topic}"


class _Client(mqtt.Client):
    """paho over a socket that is open already: its own way leaves one that could not be connected open, and says little of a certificate."""

    def __init__(self, client_id: str, *, manual_ack: bool) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False, manual_ack=manual_ack)
        self.opened: socket.socket | None = None

    def _create_socket(self) -> socket.socket:
        if self.opened is None:
            raise OSError("there is no open socket")
        return self.opened


class Connection:
    """A client from CONNECT to its end. Every call belongs to one thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        client_id: str,
        keepalive_s: int = 30,
        session_s: int = SESSION_S,
        clean_start: bool = False,
        will: tuple[str, bytes] | None = None,
        manual_ack: bool = False,
        in_flight: int = IN_FLIGHT,
        largest: int | None = None,
    ) -> None:
        """Open the socket and send CONNECT; :class:`Connected` or :class:`Refused` comes from :meth:`step`.

        Args:
            endpoint: where the broker listens.
            credentials: what to sign in with.
            client_id: names the session.
            keepalive_s: seconds between two signs of life.
            session_s: for how many seconds the broker keeps the session of a client that is away (Session Expiry Interval).
            clean_start: whether to begin a new session where there is one.
            will: topic and payload of a retained last will.
            manual_ack: whether a message counts as taken at :meth:`ack` only; what was not comes again in the same session's next connection.
            in_flight: how many messages are sent without a PUBACK; more wait here.
            largest: packets above so many bytes are not sent to us (Maximum Packet Size).

        Raises:
            LinkDown, LinkRefused: as :func:`moodify.cloud.opening.open_socket` does.
        """
        self._signals: list[Signal] = []
        self._filters: dict[int, tuple[str, ...]] = {}
        self._client = client = _Client(client_id, manual_ack=manual_ack)
        client.max_inflight_messages_set(in_flight)
        client.username_pw_set(credentials.username, credentials.password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        if will is not None:
            delay = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call] # paho leaves it without types
            delay.WillDelayInterval = WILL_DELAY_S
            client.will_set(will[0], will[1], qos=1, retain=True, properties=delay)
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it without types
        session.SessionExpiryInterval = session_s
        if largest is not None:
            session.MaximumPacketSize = largest
        client.opened = open_socket(endpoint)
        client.connect(_NOWHERE, keepalive=keepalive_s, clean_start=clean_start, properties=session)

    def step(self, timeout_s: float, wake: int | None = None) -> list[Signal]:
        """Wait for the network at most ``timeout_s``, or until the file ``wake`` can be read, and return what happened."""
        socket: Any = self._client.socket()
        if socket is None and not self._signals:
            self._signals.append(Lost("it was closed"))
        if not self._signals:
            try:
                self._move(socket, timeout_s, wake)
            except Exception as error:  # noqa: BLE001 - paho stumbles over a malformed packet with whatever it happens to hit
                self._signals.append(Lost(f"the broker sent what cannot be read ({type(error).__name__})"))
        signals, self._signals = self._signals, []
        return signals

    def _move(self, socket: Any, timeout_s: float, wake: int | None) -> None:
        for _ in range(BURST):
            decrypted = isinstance(socket, ssl.SSLSocket) and socket.pending() > 0
            poll = select.poll()
            poll.register(socket, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
            if wake is not None:
                poll.register(wake, select.POLLIN)
            ready = dict(poll.poll(0 if decrypted else timeout_s * 1000)).get(socket.fileno(), 0)
            if decrypted or ready & ~select.POLLOUT:
                self._client.loop_read()
            if ready & select.POLLOUT:
                self._client.loop_write()
            self._client.loop_misc()
            # What has come meanwhile is taken too, without waiting for more.
            timeout_s = 0.0
            if not (decrypted or ready) or self._client.socket() is not socket:
                return

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int | None = None) -> int:
        """Send with QoS 1 and return the number that :class:`Acked` will carry; after ``expiry_s`` seconds a broker passes it on no more."""
        properties = None
        if expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it without types
            properties.MessageExpiryInterval = expiry_s
        return self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid

    def subscribe(self, *topics: str, retained: Retained = Retained.ALWAYS) -> int:
        """Subscribe to all with QoS 1 in one packet and return the number that :class:`Subscribed` will carry.

        What was published as retained says so even when it is new. Before CONNACK, and on a connection that has ended, nothing comes of it.
        """
        # Of a shared subscription the broker sends none that are retained, whatever is asked.
        options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=retained)
        _, mid = self._client.subscribe([(topic, options) for topic in topics])
        if mid is None:
            return 0
        self._filters[mid] = topics
        return mid

    def ack(self, message: Received) -> None:
        """Say that a message was taken, where that is done by hand."""
        if message.qos:
            self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Say DISCONNECT, which takes the last will back, and close; safe to call twice."""
        self._client.disconnect()
        self.abandon()

    def abandon(self) -> None:
        """Close without a word, so that the broker sends the last will; safe to call twice."""
        socket: Any = self._client.socket()
        if socket is not None:
            socket.close()

    def _on_connect(self, _client: mqtt.Client, _userdata: object, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.value >= FAILURE:
            self._signals.append(Refused(reason.value, str(reason)))
        else:
            receive_maximum, maximum_packet = getattr(properties, "ReceiveMaximum", 65_535), getattr(properties, "MaximumPacketSize", None)
            self._signals.append(Connected(receive_maximum, maximum_packet, bool(flags.session_present)))

    def _on_subscribe(self, _client: mqtt.Client, _userdata: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None) -> None:
        answers = zip(self._filters.pop(mid, ()), reasons, strict=False)
        refused = [Refused(reason.value, f"subscription to {topic}: {reason}", topic) for topic, reason in answers if reason.value >= FAILURE]
        self._signals.extend(refused or [Subscribed(mid)])

    def _on_publish(self, _client: mqtt.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: Properties | None) -> None:
        self._signals.append(Acked(mid, reason.value, str(reason)))

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        expiry_s = getattr(message.properties, "MessageExpiryInterval", None)
        self._signals.append(Received(message.topic, bytes(message.payload), message.retain, message.mid, message.qos, expiry_s, time.monotonic()))

    def _on_disconnect(self, _client: mqtt.Client, _userdata: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _properties: Properties | None) -> None:
        if flags.is_disconnect_packet_from_server:
            self._signals.append(Lost(str(reason).lower(), reason.value))
        else:
            self._signals.append(Lost(str(reason).lower() if reason.value != FAILURE else "it was cut"))
