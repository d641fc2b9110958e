"""One MQTT 5 connection over paho, driven by the thread that made it.

paho's own network thread is not used: an exception there ends it silently, ``loop_stop()`` can hang,
and its reconnect has no jitter. Its interface for a foreign event loop (``loop_read``, ``loop_write``,
``loop_misc``) has none of that. Callbacks only append a signal, and a new connection is a new client,
so that nothing that paho queued for the old one is sent twice.
"""

from __future__ import annotations

import ipaddress
import select
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from moodify.errors import LinkDown, LinkRefused

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

    from moodify.cloud.port import Credentials, Endpoint

#: Longest wait for TCP, in seconds.
CONNECT_TIMEOUT_S = 10.0
#: Session Expiry Interval in seconds: above the will's delay, or the will would be sent at once.
SESSION_S = 300
#: Will Delay Interval in seconds: a restart or a new token is no "offline".
WILL_DELAY_S = 10
#: Unacknowledged messages at most; also paho's default.
IN_FLIGHT = 20
#: From this reason code on something was refused (MQTT 5.0, 2.4).
FAILURE = 0x80
#: Wrong version, client id, password, rights, banned, method (MQTT 5.0, 3.2.2.2).
_NEEDS_PERSON = {0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C}


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK: the broker takes us."""

    receive_maximum: int
    """How many unacknowledged messages it takes."""
    maximum_packet: int | None
    """Largest packet that it takes, in bytes; None for no limit."""


@dataclass(frozen=True, slots=True)
class Refused:
    """CONNACK or SUBACK with a failure."""

    code: int
    reason: str

    @property
    def needs_person(self) -> bool:
        """Whether it stays so until somebody acts."""
        return self.code in _NEEDS_PERSON


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection has ended."""

    reason: str


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


Signal = Connected | Refused | Subscribed | Lost | Acked | Received


class Connection:
    """A client from CONNECT to its end. Every call belongs to one thread."""

    def __init__(
        self, endpoint: Endpoint, credentials: Credentials, *, client_id: str, keepalive_s: int = 30, session_s: int = SESSION_S, will: tuple[str, bytes] | None = None
    ) -> None:
        """Open the socket and send CONNECT; :class:`Connected` or :class:`Refused` comes from :meth:`step`.

        ``will`` is the topic and payload of a retained last will.

        Raises:
            LinkDown: nobody answers there.
            LinkRefused: the broker's certificate is not good, or it is not on loopback and not encrypted.
        """
        self._signals: list[Signal] = []
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(IN_FLIGHT)
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
        where = f"{endpoint.host}:{endpoint.port}"
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it without types
        session.SessionExpiryInterval = session_s
        try:
            if endpoint.tls:
                client.tls_set_context(ssl.create_default_context(cafile=None if endpoint.ca_file is None else str(endpoint.ca_file)))
            elif not _loopback(endpoint.host):
                raise LinkRefused(f"the broker {where} is not on this machine and not encrypted; set [link] tls = true")
            client.connect(endpoint.host, endpoint.port, keepalive=keepalive_s, clean_start=False, properties=session)
        except ssl.SSLCertVerificationError as error:
            raise LinkRefused(
                f"the certificate of the broker {where} is not good: {error.verify_message}; set [link] host to the name in it and ca_file to its authority"
            ) from error
        except (OSError, ValueError) as error:
            raise LinkDown(f"the broker {where} cannot be reached: {error}") from error

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

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send with QoS 1 and return the number that :class:`Acked` will carry."""
        return self._client.publish(topic, payload, qos=1, retain=retain).mid

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 1; what was published as retained says so even when it is new."""
        self._client.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))

    def close(self) -> None:
        """Say DISCONNECT, which takes the last will back, and close; safe to call twice."""
        self._client.disconnect()
        self.abandon()

    def abandon(self) -> None:
        """Close without a word, so that the broker sends the last will; safe to call twice."""
        socket: Any = self._client.socket()
        if socket is not None:
            socket.close()

    def _on_connect(self, _client: mqtt.Client, _userdata: object, _flags: object, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.value >= FAILURE:
            self._signals.append(Refused(reason.value, str(reason)))
        else:
            self._signals.append(Connected(getattr(properties, "ReceiveMaximum", 65_535), getattr(properties, "MaximumPacketSize", None)))

    def _on_subscribe(self, _client: mqtt.Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None) -> None:
        self._signals.extend(Refused(reason.value, f"subscription: {reason}") if reason.value >= FAILURE else Subscribed() for reason in reasons)

    def _on_publish(self, _client: mqtt.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: Properties | None) -> None:
        self._signals.append(Acked(mid, reason.value, str(reason)))

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self._signals.append(Received(message.topic, bytes(message.payload), message.retain))

    def _on_disconnect(self, _client: mqtt.Client, _userdata: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _properties: Properties | None) -> None:
        self._signals.append(Lost(str(reason).lower() if flags.is_disconnect_packet_from_server or reason.value != FAILURE else "it was cut"))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
