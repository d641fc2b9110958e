"""What the dashboard shows of all devices, kept new while somebody looks: one snapshot, as JSON values.

It is made of what any process of any hub has put into database and cache, which are looked at twice a second: a collector of another process
need not know who watches. Of a device's own words only what is known, and of the kind that it should be, is shown.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from moodify.errors import MoodifyError
from moodify.hub.alerts.rules import Look
from moodify.hub.presence import is_online, received

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from moodify.hub.alerts.port import Desk
    from moodify.hub.port import Device, Events, Registry, States

logger = logging.getLogger(__name__)

#: Seconds between two looks while somebody watches.
LOOK_S: Final = 0.5
#: Devices on the board, by name; the list of devices has all.
DEVICES_AT_MOST: Final = 200
_EVENTS_AT_A_TIME: Final = 500
_STOP_S: Final = 5.0
_NUMBER: Final = (int, float)
#: What is shown of a device's retained states (docs/mqtt.md), and of which type it has to be.
_NOW: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("mood", "since", "title", "artist", "next", "reason", "goal"), str),
    **dict.fromkeys(("confidence", "valence", "arousal"), _NUMBER),
    "people": int,
    "playing": bool,
}
_HEALTH: Final[Mapping[str, Any]] = {"ok": bool, "disk_free_mb": int, "temperature_c": _NUMBER}
_OUTBOX: Final = dict.fromkeys(("waiting", "merged", "lost", "refused"), int)
_PART: Final = dict.fromkeys(("state", "message"), str)
_OVERRIDE: Final = dict.fromkeys(("mood", "until"), str)
_SPOTIFY: Final[Mapping[str, Any]] = {"ends": str, "ended": bool}
_PARTS: Final = ("camera", "speaker")
#: Characters of a device's text, and how many reasons it may give.
_TEXT: Final = 500
_REASONS: Final = 20


class Hears(Protocol):
    """What is asked of :class:`moodify.hub.database.looking.LookingBack`."""

    def last_heard(self, device_id: str) -> datetime | None:
        """Return when the newest event of a device came."""


class Board:
    """The newest snapshot. For any thread."""

    def __init__(
        self,
        registry: Registry,
        events: Events,
        heard: Hears,
        states: States,
        desk: Desk,
        connected: Callable[[], Collection[str]],
        *,
        look_s: float = LOOK_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what is looked at, ids of the devices that this hub's gate holds, how often it is looked in seconds, and the clock."""
        self._registry = registry
        self._events = events
        self._heard = heard
        self._states = states
        self._desk = desk
        self._connected = connected
        self._look_s = look_s
        self._clock = clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self._now: dict[str, Any] = {"devices": [], "total": 0, "alerts": [], "trouble": None}
        self._revision: int | None = None
        self._devices: Sequence[Device] = ()
        self._last_n: int | None = None
        self._last_heard: dict[str, datetime | None] = {}
        self._wake = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)

    def start(self) -> None:
        """Begin; nothing is looked at until somebody watches."""
        self._thread.start()

    def close(self) -> None:
        """End; safe to call twice, and before :meth:`start`."""
        self._end.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)

    def now(self) -> dict[str, Any]:
        """Return the newest snapshot; it is never changed afterwards."""
        with self._lock:
            return self._now

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change, from the board's thread, until the returned function is called."""
        with self._lock:
            self._watchers.append(changed)
        self._wake.set()

        def leave() -> None:
            with self._lock:
                if changed in self._watchers:
                    self._watchers.remove(changed)

        return leave

    def look(self) -> None:
        """Look at everything once. What can't be looked at is said in the snapshot, and the rest stays as it was."""
        with self._looking:
            try:
                new = self._snapshot()
            except MoodifyError as error:
                new = self.now() | {"trouble": str(error)}
            with self._lock:
                if new == self._now:
                    return
                self._now = new
                watchers = tuple(self._watchers)
        for changed in watchers:
            changed()

    def card(self, device: Device) -> dict[str, Any]:
        """Return what is shown of one device.

        Raises:
            MoodifyError: the cache or the database is away.
        """
        states = {} if device.revoked is not None else self._states.get(device.id)
        return self._card(device, states, self._heard.last_heard(device.id), self._connected())

    def gone_since(self, device: Device) -> datetime | None:
        """Return when something of a device that is not online was last received; None while it is, or where nothing ever was.

        Where the cache is away, it is told by what the gate holds and the database has.

        Raises:
            MoodifyError: the database is away.
        """
        try:
            states = {} if device.revoked is not None else self._states.get(device.id)
        except MoodifyError as error:
            logger.debug("states are not looked at: %s", error)
            states = {}
        if device.revoked is None and is_online(states, connected=device.id in self._connected(), now=self._clock()):
            return None
        return _last_seen(self._heard.last_heard(device.id), states)

    def _snapshot(self) -> dict[str, Any]:
        revision = self._registry.revision()
        if revision != self._revision:
            self._devices = [device for device in self._registry.devices() if device.revoked is None]
            self._revision = revision
        shown = self._devices[:DEVICES_AT_MOST]
        self._follow({device.id for device in shown})
        connected = self._connected()
        cards = [self._card(device, self._states.get(device.id), self._last_heard.get(device.id), connected) for device in shown]
        alerts = [
            {"n": alert.n, "device": alert.device, "name": alert.name, "rule": alert.rule.value, "raised": alert.raised.isoformat(timespec="seconds"), "words": alert.words}
            for alert in self._desk.open()
        ]
        return {"devices": cards, "total": len(self._devices), "alerts": alerts, "trouble": None}

    def _follow(self, shown: set[str]) -> None:
        """Bring up to date when something of each device was last heard."""
        if self._last_n is None:
            newest = self._events.events(limit=1)
            self._last_n = newest[0].n if newest else 0
        while events := self._events.events(after=self._last_n, limit=_EVENTS_AT_A_TIME):
            self._last_n = events[-1].n
            for device in {event.device for event in events}:
                self._last_heard.pop(device, None)
        for gone in self._last_heard.keys() - shown:
            del self._last_heard[gone]
        for device in shown - self._last_heard.keys():
            self._last_heard[device] = self._heard.last_heard(device)

    def _card(self, device: Device, states: Mapping[str, Mapping[str, Any]], heard: datetime | None, connected: Collection[str]) -> dict[str, Any]:
        online = device.revoked is None and is_online(states, connected=device.id in connected, now=self._clock())
        seen = _last_seen(heard, states)
        state, health = states.get("state", {}), states.get("health")
        return {
            "id": device.id,
            "name": device.name,
            "state": "revoked" if device.revoked is not None else "online" if online else "offline" if seen is not None else "new",
            # While it is there this would be news each time that it says a word.
            "last_seen": None if online or seen is None else seen.isoformat(timespec="seconds"),
            "now": None if "now" not in states else _picked(states["now"], _NOW) | {"override": _inner(states["now"], "override", _OVERRIDE)},
            **{part: _inner(state, part, _PART) for part in _PARTS},
            "privacy": state.get("privacy") is True,
            "version": _picked(state, {"version": str})["version"],
            "spotify": None if health is None else _inner(health, "spotify", _SPOTIFY),
            "health": None if health is None else _picked(health, _HEALTH) | {"reasons": _reasons(health), "outbox": _inner(health, "outbox", _OUTBOX)},
        }

    def _run(self) -> None:
        while not self._end.is_set():
            with self._lock:
                is_watched = bool(self._watchers)
            if not is_watched:
                self._wake.wait()
                self._wake.clear()
                continue
            began_s = time.monotonic()
            try:
                self.look()
            except Exception:
                # Nothing that a device says may come here. If it does, those who watch see what was so before.
                logger.exception("a look for the dashboard failed")
            # Of many devices a look takes longer, and must not be all that this hub does.
            self._end.wait(max(self._look_s, 3 * (time.monotonic() - began_s)))


def looks(registry: Registry, heard: Hears, states: States, connected: Callable[[], Collection[str]], clock: Callable[[], datetime]) -> Iterator[tuple[str, Look]]:
    """Give each device that is enrolled with a :class:`moodify.hub.alerts.rules.Look` at it.

    Raises:
        MoodifyError: the cache or the database is away.
    """
    present = connected()
    for device in registry.devices():
        if device.revoked is not None:
            continue
        found = states.get(device.id)
        if is_online(found, connected=device.id in present, now=clock()):
            yield device.id, Look(device.name, online=True, last_seen=None, states=found)
            continue
        # Only of who is away it is asked since when: of a thousand devices few are.
        last_seen = _last_seen(heard.last_heard(device.id), found)
        # What was never heard of has not gone away.
        yield device.id, Look(device.name, online=None if last_seen is None else False, last_seen=last_seen, states=found)


def _last_seen(heard: datetime | None, states: Mapping[str, Mapping[str, Any]]) -> datetime | None:
    return max((moment for moment in (heard, *map(received, states.values())) if moment is not None), default=None)


def _picked(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value.get(name), kind) for name, kind in wanted.items()}


def _plain(value: object, kind: Any) -> object:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return None
    return value[:_TEXT] if isinstance(value, str) else value


def _inner(value: Mapping[str, Any], name: str, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    inner = value.get(name)
    return _picked(inner, wanted) if isinstance(inner, dict) else None


def _reasons(health: Mapping[str, Any]) -> list[str]:
    found = health.get("reasons")
    return [reason[:_TEXT] for reason in found[:_REASONS] if isinstance(reason, str)] if isinstance(found, list) else []
