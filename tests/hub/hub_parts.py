"""A hub's parts over a real mosquitto and a real SQLite, and devices that speak through their own store and link."""

import threading
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime

from moodify.cloud.backoff import Backoff
from moodify.cloud.link import Link
from moodify.cloud.mqtt import Acked, Connected, Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.hub.cache import open_states
from moodify.hub.collecting import CollectorThread
from moodify.hub.database import open_database
from moodify.hub.dispatch import Dispatcher
from moodify.hub.metrics import Metrics
from moodify.hub.mosquitto import Mosquitto
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from signing import NameOnly
from summaries import enrolled
from waiting import wait_until

QUICK = Backoff(0.02, 0.1)


class Hub:
    """What a hub is made of, opened as it is needed and closed in reverse."""

    def __init__(self, folder):
        self.folder = folder
        self.connected = set()
        """Whom the gate would hold."""
        self._stack = ExitStack()
        self.mosquitto = self._stack.enter_context(Mosquitto(folder / "run"))
        self.mosquitto.start()
        self.database = self._stack.enter_context(open_database(folder / "hub.db"))
        self.states = open_states(None, 3600)
        self.metrics = Metrics()

    def endpoint(self):
        return Endpoint("", 0, tls=False, socket=self.mosquitto.socket)

    def kill_mosquitto(self):
        """Let it die without a word, and come back."""
        self.mosquitto._process.kill()
        assert self.mosquitto.wait(30)
        self.mosquitto.start()

    def enrol(self):
        """Enrol a device; return its id."""
        return enrolled(self.database)

    def collector(self, *, intake=None, states=True, commands=None, registry=None, **options):
        """Start a collector that is ready."""
        database = self.database
        collector = CollectorThread(
            self.endpoint,
            intake or database.intake,
            commands or database.commands,
            (self.states if states is True else states) or None,
            registry or database.registry,
            self.metrics,
            connected=lambda: frozenset(self.connected),
            backoff=QUICK,
            **options,
        )
        return self._started(collector)

    def dispatcher(self, **options):
        """Start a dispatcher that is ready."""
        return self._started(Dispatcher(self.endpoint, self.database.commands, self.metrics, connected=lambda: frozenset(self.connected), backoff=QUICK, **options))

    def _started(self, part):
        part.start()
        self._stack.callback(part.close)
        wait_until(lambda: part.trouble is None, what=lambda: f"a part that is ready ({part.trouble})")
        return part

    def device(self, device_id, **options):
        """Start a device that says what happens to it."""
        device = Device(self.folder / f"device {device_id} {uuid.uuid4()}" / "moodify.db", device_id, self.endpoint, **options)
        self._stack.callback(device.close)
        device.start()
        return device

    def speaker(self, device_id):
        """Return somebody who speaks as a device, packet by packet."""
        speaker = Speaker(self.endpoint(), device_id)
        self._stack.callback(speaker.close)
        return speaker

    def stored(self, device=None):
        """Return the ids of all stored events, in the order of storing."""
        found, after = [], 0
        while events := self.database.events.events(device, after=after, limit=500):
            found += events
            after = events[-1].n
        return [event.id for event in found]

    def counted(self, name, **labels):
        return self.metrics._registry.get_sample_value(name, labels) or 0

    def close(self):
        self._stack.close()
        self.states.close()


class Unwell:
    """Stands before a room and fails with what it is told to fail with; counts what it is asked."""

    def __init__(self, room):
        self._room = room
        self.failure = None
        self.asked = 0

    def __getattr__(self, name):
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return getattr(self._room, name)


class Device:
    """A device's store and link, on a thread of its own; it carries every command out at once."""

    def __init__(self, path, device_id, endpoint, *, commands=("rescan", "volume"), rotation=None):
        self.id = device_id
        self.done = []
        self.link = None
        self._path = path
        self._commands = commands
        self._endpoint = endpoint
        self._rotation = rotation
        prepare(path)
        self._store = Store(path)
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._cut = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"device {device_id}", daemon=True)

    def start(self):
        self._thread.start()
        assert self._ready.wait(15)

    def happen(self, count=1):
        """Record events, each in a transaction of its own, and return their ids."""
        ids = [str(uuid.uuid4()) for _ in range(count)]
        for one in ids:
            self._store.record([Event(one, EventKind.MOOD, datetime.now(UTC), {"mood": "happy"})])
        self.link.wake()
        return ids

    def cut(self):
        """Lose the connection without a word."""
        self._cut.set()

    def until_empty(self):
        # Counted anew: what the link's thread counted last may be older than what was just recorded.
        with Outbox(self._path) as outbox:
            wait_until(lambda: outbox.backlog() == 0, what=lambda: f"an empty outbox (it holds {outbox.backlog()})", within_s=30)

    def close(self):
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._store.close()

    def _run(self):
        with Outbox(self._path) as outbox, Settings(self._path) as memory:
            self.link = Link(
                self.id,
                target=lambda: Target(self._endpoint(), NameOnly(self.id), Delivery.HUB),
                memory=memory,
                commands=self._commands,
                rotation=self._rotation,
                on_command=self._do,
                on_change=lambda state, reason: None,
                clock_trusted=lambda: True,
                silence_s=0.5,
                backoff=QUICK,
            )
            while not self._closing.is_set():
                self.link.pump(outbox, 0.02)
                self._ready.set()
                if self._cut.is_set() and self.link._connection is not None:
                    self._cut.clear()
                    self.link._connection.abandon()
            self.link.close()

    def _do(self, command):
        self.done.append(command)
        self.link.answer(command.id, "ok", data={"did": command.name})


class Speaker:
    """A connection that says what a test makes it say, well-formed or not, and hears what is said to the device."""

    def __init__(self, endpoint, device):
        self.device = device
        self.heard = []
        self._signals = []
        self._connection = Connection(endpoint, Credentials(device, None), client_id=device)
        self.until(lambda: self._came(Connected))
        self._connection.subscribe(f"moodify/v1/{device}/down/#")
        self.until(lambda: self._came(Subscribed))

    def poll(self):
        self._signals += self._connection.step(0.02)
        self.heard = [one for one in self._signals if isinstance(one, Received)]

    def _came(self, kind):
        return any(isinstance(one, kind) for one in self._signals)

    def say(self, topic, payload, *, retain=False):
        """Publish below ``up/`` and wait for the PUBACK."""
        mid = self._connection.publish(f"moodify/v1/{self.device}/up/{topic}", payload, retain=retain)
        self.until(lambda: any(isinstance(one, Acked) and one.mid == mid for one in self._signals))

    def told(self, topic):
        """Return what came below ``down/``."""
        return [one for one in self.heard if one.topic == f"moodify/v1/{self.device}/down/{topic}"]

    def until(self, condition, within_s=15):
        return wait_until(lambda: self.poll() or condition(), what=lambda: f"what was waited for (heard {self.heard})", within_s=within_s, every_s=0)

    def close(self):
        self._connection.close()
