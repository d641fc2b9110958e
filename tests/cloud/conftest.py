from __future__ import annotations

import uuid
from datetime import UTC, datetime

import mosquittos
import pytest
from stub_broker import StubBroker

from brokers import running_broker
from moodify.cloud.backoff import Backoff
from moodify.cloud.link import Link
from moodify.cloud.port import Delivery, Endpoint, Target
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from ports import free_port
from signing import NameOnly
from waiting import wait_until

DEVICE = "m-abcdefghijklmnop"


class Device:
    """A device's store and link over a database of its own, with what the link reported."""

    def __init__(self, path, endpoint, *, passwords=None, commands=("rescan",), delivery=Delivery.BROKER, shut_out=None, timeout_s=20.0, **options):
        prepare(path)
        self.path = path
        self.store = Store(path)
        self.outbox = Outbox(path)
        self.settings = Settings(path)
        self.commands = []
        self.changes = []
        passwords = passwords if passwords is not None else NameOnly(DEVICE)
        self.link = Link(
            DEVICE,
            target=lambda: Target(endpoint(), passwords, delivery, shut_out),
            memory=self.settings,
            commands=commands,
            on_command=self.commands.append,
            on_change=lambda state, reason: self.changes.append((state.value, reason)),
            clock_trusted=lambda: True,
            timeout_s=timeout_s,
            **options,
            backoff=Backoff(base_s=0.05, cap_s=0.2),
        )

    def happen(self, count=1, **data):
        """Record events, each in a transaction of its own, and return their ids."""
        ids = []
        for _ in range(count):
            event = Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), data)
            self.store.record([event])
            ids.append(event.id)
        self.link.wake()
        return ids

    def pump_until(self, condition, also=lambda: None):
        """Pump until a condition holds, or fail."""

        def met():
            if not condition():
                self.link.pump(self.outbox, 0.02)
                also()
            return condition()

        wait_until(met, what=lambda: f"what was pumped for (the link reported {self.changes})", within_s=30, every_s=0)

    def until_empty(self):
        self.pump_until(lambda: self.outbox.backlog() == 0)

    def close(self):
        self.link.close()
        self.store.close()
        self.outbox.close()
        self.settings.close()


@pytest.fixture
def device_at(tmp_path):
    """A maker of devices, given where their broker is."""
    made = []

    def make(endpoint, *, path=None, **options):
        made.append(Device(path or tmp_path / f"device{len(made)}" / "moodify.db", endpoint, **options))
        return made[-1]

    yield make
    for device in made:
        device.close()


@pytest.fixture
def stub():
    """A scripted broker."""
    with StubBroker() as stub:
        yield stub


@pytest.fixture
def stubbed(stub, device_at):
    """A device that talks to the scripted broker."""
    return device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False))


@pytest.fixture
def broker(tmp_path):
    """A private mosquitto that runs."""
    with running_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def mosquitto(tmp_path):
    """A maker of mosquittos, given their configuration."""
    made = []

    def make(configuration, *, folder=tmp_path, **options):
        made.append(mosquittos.start(configuration, folder, **options))
        return made[-1]

    yield make
    for one in made:
        mosquittos.end(one.process)


@pytest.fixture
def open_broker(mosquitto):
    """A mosquitto that lets everybody do everything."""
    port = free_port()
    return mosquitto(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n", port=port)
