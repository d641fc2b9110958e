"""What each device last published as retained, for as long as it is worth anything: in this process, or in a Redis that several hubs share."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import redis
from cachetools import TTLCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from moodify.errors import CannotWork, PersonMustAct, RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from moodify.hub.port import States

#: What a device publishes as retained (docs/mqtt.md).
NAMES = ("status", "now", "state", "health")
#: Values that are kept in process at most; of more, those that nobody asked for go.
_VALUES_AT_MOST = 100_000
#: Longest wait for an answer of Redis, in seconds.
_WAIT_S = 2.0
_PREFIX = "moodify:v1:state"


def open_states(url: str | None, ttl_s: float) -> States:
    """Open the cache: in process without ``url``, else ``redis://``, ``rediss://`` or ``unix://``. Each value lives ``ttl_s`` seconds.

    Raises:
        PersonMustAct: no such address.
    """
    return InProcess(ttl_s) if url is None else InRedis(url, ttl_s)


class InProcess:
    """Values in this process's memory."""

    def __init__(self, ttl_s: float) -> None:
        """Begin without any; each lives ``ttl_s`` seconds."""
        self._values: TTLCache[tuple[str, str], str] = TTLCache(_VALUES_AT_MOST, ttl_s)
        self._lock = threading.Lock()

    def put(self, device_id: str, name: str, value: Mapping[str, Any], now: datetime) -> None:
        """Keep ``status``, ``now``, ``state`` or ``health`` of a device.

        Raises:
            CannotWork: another name, or the value is no JSON.
        """
        text = _text(name, value, now)
        with self._lock:
            self._values[device_id, name] = text

    def get(self, device_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the values by name, each with its ``"received"`` time added; empty where nothing is known any more."""
        with self._lock:
            texts = [self._values.get((device_id, name)) for name in NAMES]
        return _values(texts)

    def forget(self, device_id: str) -> None:
        """Forget a device's values."""
        with self._lock:
            for name in NAMES:
                self._values.pop((device_id, name), None)

    def close(self) -> None:
        """Forget everything; safe to call twice."""
        with self._lock:
            self._values.clear()


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
        """Keep ``status``, ``now``, ``state`` or ``health`` of a device.

        Raises:
            CannotWork: another name, or the value is no JSON.
            RetryLater: the cache is away.
        """
        text = _text(name, value, now)
        _asked(lambda: self._client.set(_key(device_id, name), text, px=self._ttl_ms))

    def get(self, device_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the values by name, each with its ``"received"`` time added; empty where nothing is known any more.

        Raises:
            RetryLater: the cache is away.
        """
        return _values(_asked(lambda: self._client.mget([_key(device_id, name) for name in NAMES])))

    def forget(self, device_id: str) -> None:
        """Forget a device's values.

        Raises:
            RetryLater: the cache is away.
        """
        _asked(lambda: self._client.delete(*[_key(device_id, name) for name in NAMES]))

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


def _text(name: str, value: Mapping[str, Any], now: datetime) -> str:
    if name not in NAMES:
        raise CannotWork(f"{name!r} is no state of a device; there are {', '.join(NAMES)}")
    try:
        return json.dumps({**value, "received": now.isoformat(timespec="milliseconds")}, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise CannotWork(f"the device's {name} is no JSON ({error}); update Moodify on the device") from error


def _values(texts: list[str | None]) -> dict[str, Mapping[str, Any]]:
    return {name: json.loads(text) for name, text in zip(NAMES, texts, strict=True) if text is not None}
