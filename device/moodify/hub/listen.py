"""Listens to devices at a broker."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Self

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.cloud.topics import Topics
from moodify.errors import CannotWork, LinkDown, LinkRefused
from moodify.hub.absorbing import Absorber

if TYPE_CHECKING:
    from types import TracebackType

    from moodify.cloud.port import Credentials, Endpoint
    from moodify.hub.absorbing import Heard

logger = logging.getLogger(__name__)


class Listener:
    """A subscriber that drops repeats and connects anew by itself. Belongs to one thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        client_id: str | None = None,
        session_s: int = 0,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare; the first :meth:`poll` connects.

        Args:
            endpoint: the broker.
            credentials: :data:`moodify.hub.mosquitto.OBSERVER` without a password at a hub's mosquitto.
            client_id: with ``session_s``, the broker keeps for this name what comes while it is away.
            session_s: for how many seconds it does.
            backoff: between two connects.
        """
        self.absorber = Absorber()
        self.subscribed = False
        """Whether new events come in now."""
        self._endpoint = endpoint
        self._credentials = credentials
        self._topic = Topics("+").events
        self._client_id = client_id if client_id is not None else f"listener-{uuid.uuid4()}"
        self._session_s = session_s
        self._backoff = backoff if backoff is not None else Backoff(cap_s=30.0)
        self._connection: mqtt.Connection | None = None
        self._attempts = 0
        self._retry_at_s = 0.0

    def poll(self, timeout_s: float) -> list[Heard]:
        """Wait at most about ``timeout_s`` and return the events that came, each once.

        Raises:
            LinkRefused: the broker does not let this subscriber in.
        """
        if self._connection is None:
            left_s = self._retry_at_s - time.monotonic()
            if left_s > 0:
                time.sleep(min(timeout_s, left_s))
                return []
            try:
                self._connection = mqtt.Connection(self._endpoint, self._credentials, client_id=self._client_id, session_s=self._session_s)
            except LinkDown as error:
                self._lost(str(error))
                return []
        heard: list[Heard] = []
        for signal in self._connection.step(timeout_s):
            match signal:
                case mqtt.Connected():
                    self._connection.subscribe(self._topic)
                case mqtt.Subscribed():
                    self.subscribed = True
                    self._attempts = 0
                case mqtt.Refused() if signal.needs_person:
                    self.close()
                    raise LinkRefused(f"the broker refuses to be listened to: {signal.reason.lower()}; check user name and password")
                case mqtt.Refused(reason=reason) | mqtt.Lost(reason):
                    self._lost(reason)
                    break
                case mqtt.Received():
                    heard += self._absorb(signal)
        return heard

    def _absorb(self, message: mqtt.Received) -> list[Heard]:
        try:
            return self.absorber.absorb(Topics.device_of(message.topic), message.payload)
        except CannotWork as error:
            logger.warning("a message was passed over: %s", error)
            return []

    def _lost(self, reason: str) -> None:
        if self._attempts == 0:
            logger.info("not listening: %s", reason)
        if self._connection is not None:
            self._connection.abandon()
        self._connection = None
        self.subscribed = False
        self._attempts += 1
        self._retry_at_s = time.monotonic() + self._backoff.delay_s(self._attempts)

    def close(self) -> None:
        """End the connection; safe to call twice."""
        connection, self._connection = self._connection, None
        self.subscribed = False
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()
