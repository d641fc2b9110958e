"""A connection to the hub's own mosquitto, made anew by itself."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Final

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.wake import Wake
from moodify.errors import LinkDown, PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.cloud.port import Credentials, Endpoint

logger = logging.getLogger(__name__)

#: It is on this machine, and back within a second or so: nothing is gained by waiting long.
BACKOFF: Final = Backoff(base_s=0.05, cap_s=2.0)
#: Longest wait for CONNACK and SUBACK before connecting anew.
_ANSWER_S: Final = 10.0
_IN_FLIGHT: Final = 100


class Line:
    """Connects, subscribes, and connects anew. Every call but :meth:`wake` belongs to one thread."""

    def __init__(
        self, name: str, endpoint: Callable[[], Endpoint], credentials: Credentials, topics: tuple[str, ...] = (), *, backoff: Backoff = BACKOFF, manual_ack: bool = False
    ) -> None:
        """Prepare; the first :meth:`step` connects.

        Args:
            name: what the log calls it.
            endpoint: asked for before each connect; may raise LinkDown or PersonMustAct.
            credentials: who it is.
            topics: what it hears.
            backoff: between two connects.
            manual_ack: whether a message counts as taken only at :meth:`ack`.
        """
        self.trouble: str | None = "not connected to mosquitto yet"
        """Why nothing comes or goes; None while it does."""
        self.generation = 0
        """Counts connections: messages and numbers of one mean nothing to another."""
        self._name = name
        self._endpoint = endpoint
        self._credentials = credentials
        self._topics = topics
        self._backoff = backoff
        self._manual_ack = manual_ack
        self._wake = Wake()
        self._connection: mqtt.Connection | None = None
        self._opened_s = 0.0
        self._attempts = 0
        self._retry_at_s = 0.0

    def wake(self) -> None:
        """End the wait of :meth:`step`; from any thread."""
        self._wake.set()

    def step(self, timeout_s: float) -> list[mqtt.Received | mqtt.Acked]:
        """Wait at most about ``timeout_s`` for the network and return what came of it."""
        if self._connection is None:
            left_s = self._retry_at_s - time.monotonic()
            if left_s > 0:
                self.pause(min(timeout_s, left_s))
            else:
                self._connect()
            return []
        if self.trouble is not None and time.monotonic() - self._opened_s > _ANSWER_S:
            self._lost(f"mosquitto gave no answer in {_ANSWER_S:g} s")
            return []
        came: list[mqtt.Received | mqtt.Acked] = []
        for signal in self._connection.step(timeout_s, self._wake.fileno()):
            match signal:
                case mqtt.Received() | mqtt.Acked():
                    came.append(signal)
                case _:
                    self._handle(signal)
        self._wake.clear()
        return came

    def pause(self, timeout_s: float) -> None:
        """Wait without the network, at most ``timeout_s``, until :meth:`wake`."""
        self._wake.wait(timeout_s)
        self._wake.clear()

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None = None, retain: bool = False) -> int | None:
        """Send with QoS 1 and return the number that its :class:`~moodify.cloud.mqtt.Acked` will carry; None while there is no connection."""
        return None if self._connection is None or self.trouble is not None else self._connection.publish(topic, payload, expiry_s=expiry_s, retain=retain)

    def ack(self, message: mqtt.Received, generation: int) -> None:
        """Say that a message was taken, where the connection that brought it still stands."""
        if self._connection is not None and generation == self.generation:
            self._connection.ack(message)

    def close(self) -> None:
        """End the connection; safe to call twice."""
        connection, self._connection = self._connection, None
        self.trouble = "closed"
        if connection is not None:
            connection.close()
        self._wake.close()

    def _connect(self) -> None:
        try:
            self._connection = mqtt.Connection(
                self._endpoint(),
                self._credentials,
                client_id=f"{self._name}-{uuid.uuid4()}",
                # What nobody took is offered again by who sent it: mosquitto needs to keep nothing for a client that is gone.
                session_s=0,
                manual_ack=self._manual_ack,
                in_flight=_IN_FLIGHT,
            )
            self.generation += 1
            self._opened_s = time.monotonic()
        except (LinkDown, PersonMustAct) as error:
            self._lost(str(error))

    def _handle(self, signal: mqtt.Signal) -> None:
        if self._connection is None:
            return
        match signal:
            case mqtt.Connected() if self._topics:
                self._connection.subscribe(*self._topics)
            case mqtt.Connected() | mqtt.Subscribed():
                if self._attempts:
                    logger.info("%s is connected to mosquitto again", self._name)
                self._attempts = 0
                self.trouble = None
            case mqtt.Refused(reason=reason):
                self._lost(f"mosquitto refuses it: {reason.lower()}")
            case mqtt.Lost(reason):
                self._lost(f"the connection to mosquitto was lost: {reason}")

    def _lost(self, reason: str) -> None:
        if self._attempts == 0:
            logger.warning("%s: %s", self._name, reason)
        if self._connection is not None:
            self._connection.abandon()
        self._connection = None
        self.trouble = reason
        self._attempts += 1
        self._retry_at_s = time.monotonic() + self._backoff.delay_s(self._attempts)
