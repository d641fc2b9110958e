"""The newest states of devices in a Redis that several hubs share (:class:`moodify.hub.port.States`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from moodify.cloud.topics import STATES
from moodify.errors import PersonMustAct, RetryLater
from moodify.hub.cache import as_text, from_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

#: Longest wait for an answer of Redis, in seconds.
_WAIT_S = 2.0
_PREFIX = "moodify:v1:state"


class InRedis:
    """Values in Redis; they outlive the hub."""

    def __init__(self, url: str, ttl_s: float) -> None:
        """Take an address; each value lives ``ttl_s`` seconds. Connects when it is first used.

        Raises:
            PersonMustAct: no such address.
        """
        try:
            # Once more at once: a connection that was kept may be that of a Redis which was restarted since.
            self._client = redis.Redis.from_url(url, decode_responses=True, socket_timeout=_WAIT_S, socket_connect_timeout=_WAIT_S, retry=Retry(NoBackoff(), 1))
        except ValueError as error:
            raise PersonMustAct(f"cache_url is no address of a Redis ({error}); write redis://HOST:6379/0") from error
        self._ttl_ms = max(1, round(ttl_s * 1000))

    def put(self, device_id: str, name: str, value: Mapping[str, Any], now: datetime) -> None:
        """Keep one of :data:`moodify.cloud.topics.STATES` of a device.

        Raises:
            CannotWork: another name, or the value is no JSON.
            RetryLater: the cache is away.
        """
        text = as_text(name, value, now)
        _asked(lambda: self._client.set(_key(device_id, name), text, px=self._ttl_ms))

    def get(self, device_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the values by name, each with its ``"received"`` time added; empty where nothing is known any more.

        Raises:
            RetryLater: the cache is away.
        """
        return from_texts(_asked(lambda: self._client.mget([_key(device_id, name) for name in STATES])))

    def forget(self, device_id: str) -> None:
        """Forget a device's values.

        Raises:
            RetryLater: the cache is away.
        """
        _asked(lambda: self._client.delete(*[_key(device_id, name) for name in STATES]))

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        _asked(self._client.close)


def _asked(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except redis.RedisError as error:
        raise RetryLater(f"the cache of states is away ({' '.join(str(error).split())}); check that Redis runs and lets the hub in, it is tried again") from error


def _key(device_id: str, name: str) -> str:
    return f"{_PREFIX}:{device_id}:{name}"
