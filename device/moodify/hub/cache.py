"""What each device last published as retained, for as long as it is worth anything: in this process, or in a Redis that several hubs share."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache

from moodify.cloud.topics import STATES
from moodify.errors import CannotWork, PersonMustAct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from moodify.hub.port import States

#: Values that are kept in process at most; of more, those that nobody asked for go.
_VALUES_AT_MOST = 100_000


def open_states(url: str | None, ttl_s: float) -> States:
    """Open the cache: in process without ``url``, else ``redis://``, ``rediss://`` or ``unix://``. Each value lives ``ttl_s`` seconds.

    Raises:
        PersonMustAct: no such address, or the package ``redis`` is not installed.
    """
    if url is None:
        return InProcess(ttl_s)
    try:
        # 7 MB that a hub without one does not need.
        from moodify.hub.cache_redis import InRedis
    except ModuleNotFoundError as error:
        raise PersonMustAct(f"cache_url names a Redis, but the package {error.name} is not installed; run: {sys.executable} -m pip install 'redis>=5,<9'") from error
    return InRedis(url, ttl_s)


class InProcess:
    """Values in this process's memory."""

    def __init__(self, ttl_s: float) -> None:
        """Begin without any; each lives ``ttl_s`` seconds."""
        self._values: TTLCache[tuple[str, str], str] = TTLCache(_VALUES_AT_MOST, ttl_s)
        self._lock = threading.Lock()

    def put(self, device_id: str, name: str, value: Mapping[str, Any], now: datetime) -> None:
        """Keep one of :data:`moodify.cloud.topics.STATES` of a device.

        Raises:
            CannotWork: another name, or the value is no JSON.
        """
        text = as_text(name, value, now)
        with self._lock:
            self._values[device_id, name] = text

    def get(self, device_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the values by name, each with its ``"received"`` time added; empty where nothing is known any more."""
        with self._lock:
            texts = [self._values.get((device_id, name)) for name in STATES]
        return from_texts(texts)

    def forget(self, device_id: str) -> None:
        """Forget a device's values."""
        with self._lock:
            for name in STATES:
                self._values.pop((device_id, name), None)

    def close(self) -> None:
        """Forget everything; safe to call twice."""
        with self._lock:
            self._values.clear()


def as_text(name: str, value: Mapping[str, Any], now: datetime) -> str:
    """Return a value with the time that it came at, as it is kept.

    Raises:
        CannotWork: another name, or the value is no JSON.
    """
    if name not in STATES:
        raise CannotWork(f"{name!r} is no state of a device; there are {', '.join(STATES)}")
    try:
        return json.dumps({**value, "received": now.isoformat(timespec="milliseconds")}, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise CannotWork(f"the device's {name} is no JSON ({error}); update Moodify on the device") from error


def from_texts(texts: list[str | None]) -> dict[str, Mapping[str, Any]]:
    """Return the values of :data:`moodify.cloud.topics.STATES` that are there."""
    return {name: json.loads(text) for name, text in zip(STATES, texts, strict=True) if text is not None}
