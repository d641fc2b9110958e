"""The courier with a real broker: what it publishes, when it answers, and how it ends."""

import json
import threading
import uuid
from datetime import UTC, datetime

import pytest

from moodify.cloud.backoff import Backoff
from moodify.cloud.broker import PrivateBroker
from moodify.cloud.link import Link
from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.daemon.courier import Courier
from moodify.daemon.signals import CommandTaken, LinkIs, State
from moodify.daemon.threads import guarded
from moodify.store.outbox import Outbox
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Event, EventKind
from signing import NameOnly
from waiting import wait_until

DEVICE = "m-abcdefghijklmnop"


class CountingLink(Link):
    """Counts what it is asked to publish."""

    asked = 0

    def publish_state(self, name, value):
        self.asked += 1
        super().publish_state(name, value)


class Round:
    """A courier on its round, and somebody of the household at the broker."""

    def __init__(self, folder, endpoint, broker=None):
        self.path = folder / "data" / "moodify.db"
        prepare(self.path)
        self.store = Store(self.path)
        self.signals = []
        self.courier = Courier(
            lambda memory, on_command, on_change: CountingLink(
                DEVICE,
                target=lambda: Target(endpoint(), NameOnly(DEVICE), Delivery.BROKER),
                memory=memory,
                commands=("rescan",),
                on_command=on_command,
                on_change=on_change,
                clock_trusted=lambda: True,
                backoff=Backoff(base_s=0.05, cap_s=0.1),
            ),
            lambda: Outbox(self.path),
            lambda: Settings(self.path),
            self.signals.append,
            broker=broker,
        )
        self.thread = guarded("courier", self.courier.run, self.signals.append)

    def start(self):
        self.thread.start()
        return self

    def states(self):
        return [signal.state for signal in self.signals if isinstance(signal, LinkIs)]

    def happen(self):
        event = Event(str(uuid.uuid4()), EventKind.MOOD, datetime.now(UTC), {})
        self.store.record([event])
        self.courier.wake()
        return event.id

    def backlog(self):
        with Outbox(self.path) as outbox:
            return outbox.backlog()

    def close(self):
        self.courier.close()
        if self.thread.ident is not None:
            self.thread.join(20)
        assert not self.thread.is_alive()
        self.store.close()


class Household:
    """Reads everything that the device says, on a thread of its own, and may send a command."""

    def __init__(self, endpoint):
        self.heard = []
        self.listening = threading.Event()
        self._closing = threading.Event()
        self._commands = []
        self._endpoint = endpoint
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        connection = Connection(self._endpoint, Credentials("household", None), client_id=str(uuid.uuid4()), session_s=0)
        connection.subscribe(f"moodify/v1/{DEVICE}/up/#")
        while not self._closing.is_set():
            while self._commands:
                name, body = self._commands.pop(0)
                connection.publish(f"moodify/v1/{DEVICE}/down/cmd/{name}", json.dumps(body).encode())
            for signal in connection.step(0.02):
                if isinstance(signal, Subscribed):
                    self.listening.set()
                elif isinstance(signal, Received):
                    self.heard.append((signal.topic.partition("/up/")[2], json.loads(signal.payload) if signal.payload else None))
        connection.close()

    def said(self, name):
        return [body for topic, body in list(self.heard) if topic == name]

    def command(self, name, **body):
        self._commands.append((name, body))

    def __enter__(self):
        self._thread.start()
        assert self.listening.wait(20)
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join(20)


@pytest.fixture
def broker(tmp_path):
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        broker.endpoint()
        yield broker


@pytest.fixture
def household(broker):
    with Household(broker.endpoint()) as household:
        yield household


@pytest.fixture
def walk(tmp_path, broker):
    walk = Round(tmp_path, broker.endpoint)
    yield walk
    walk.close()


def test_a_state_is_published_when_it_changes_and_at_the_start(walk, household):
    walk.courier.publish("now", {"mood": "happy"})
    walk.start()
    wait_until(lambda: household.said("now"))
    for _ in range(5):
        walk.courier.publish("now", {"mood": "happy"})
    walk.courier.publish("now", {"mood": "calm"})
    wait_until(lambda: len(household.said("now")) == 2)
    walk.happen()
    wait_until(lambda: household.said("ev"))
    assert household.said("now") == [{"mood": "happy"}, {"mood": "calm"}]
    assert walk.courier._link.asked == 2


def test_it_says_how_the_link_stands(walk):
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    assert walk.states()[-1] is State.OK


def test_what_is_unsent_goes_out_when_it_is_woken(walk, household):
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    ids = [walk.happen() for _ in range(20)]
    wait_until(lambda: walk.backlog() == 0)
    wait_until(lambda: [item["id"] for message in household.said("ev") for item in message["items"]] == ids)


def test_what_waits_is_sent_before_the_end(walk, household):
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    for _ in range(5):
        walk.happen()
    walk.courier.close()
    walk.thread.join(20)
    assert walk.backlog() == 0
    wait_until(lambda: [body["state"] for body in household.said("status")][-1:] == ["offline"])


def test_a_command_is_passed_on_and_answered(walk, household):
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    wanted = str(uuid.uuid4())
    household.command("rescan", id=wanted)
    wait_until(lambda: CommandTaken("rescan", wanted) in walk.signals)
    walk.courier.answer(wanted, "error", "Privacy is on")
    wait_until(lambda: household.said(f"res/{wanted}") == [{"status": "error", "error": "Privacy is on"}])


def test_without_a_broker_it_waits_heals_and_nothing_is_lost(tmp_path):
    with PrivateBroker(tmp_path / "state", tmp_path / "run") as broker:
        there = threading.Event()

        def endpoint():
            return broker.endpoint() if there.is_set() else Endpoint("127.0.0.1", 1, tls=False)

        walk = Round(tmp_path, endpoint).start()
        wait_until(lambda: State.DEGRADED in walk.states())
        walk.happen()
        assert walk.backlog() == 1
        there.set()
        wait_until(lambda: walk.backlog() == 0)
        assert walk.states()[-1] is State.OK
        walk.close()


def test_calls_before_the_start_and_after_the_end_are_harmless(walk):
    walk.courier.wake()
    walk.courier.answer("id", "ok")
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    walk.courier.close()
    walk.thread.join(20)
    walk.courier.wake()
    walk.courier.publish("now", {"mood": "sad"})


def test_it_ends_its_own_broker_last(tmp_path):
    broker = PrivateBroker(tmp_path / "state", tmp_path / "run")
    walk = Round(tmp_path, broker.endpoint, broker).start()
    wait_until(lambda: State.OK in walk.states())
    process = broker._process
    walk.close()
    assert process.poll() is not None
