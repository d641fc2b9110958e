"""The courier with a real broker: what it publishes, when it answers, and how it ends."""

import json
import socket
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from brokers import Broker
from moodify.cloud.backoff import Backoff
from moodify.cloud.identity import load_or_make
from moodify.cloud.keys import line_of
from moodify.cloud.link import Link
from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Credentials, Delivery, Endpoint, Target
from moodify.daemon import hub_beside
from moodify.daemon.courier import Courier
from moodify.daemon.hub_beside import HubBeside
from moodify.daemon.signals import CommandTaken, LinkIs, State
from moodify.daemon.threads import guarded
from moodify.errors import LinkDown, PersonMustAct
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

    def __init__(self, folder, endpoint, *, beside=None, passwords=None, delivery=Delivery.BROKER, device=DEVICE):
        self.path = folder / "data" / "moodify.db"
        prepare(self.path)
        self.store = Store(self.path)
        self.signals = []
        self.courier = Courier(
            lambda memory, on_command, on_change: CountingLink(
                device,
                target=lambda: Target(endpoint(), passwords or NameOnly(DEVICE), delivery),
                memory=memory,
                commands=("rescan", "mood"),
                on_command=on_command,
                on_change=on_change,
                clock_trusted=lambda: True,
                backoff=Backoff(base_s=0.05, cap_s=0.1),
            ),
            lambda: Outbox(self.path),
            lambda: Settings(self.path),
            self.signals.append,
            # One that nobody asks where it listens is never started.
            beside=beside or HubBeside(folder / "hub", folder / "device.pub"),
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
    with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def household(broker):
    with Household(broker.endpoint()) as household:
        yield household


@contextmanager
def going(folder, endpoint):
    """Give where a courier goes to, in a list to put another endpoint into, and its round."""
    goes_to = [endpoint]
    walk = Round(folder, lambda: goes_to[0])
    try:
        yield goes_to, walk.start()
    finally:
        walk.close()


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


def test_a_command_comes_with_its_arguments_and_goes_with_its_data(walk, household):
    walk.start()
    wait_until(lambda: State.OK in walk.states())
    wanted = str(uuid.uuid4())
    household.command("mood", id=wanted, mood="calm", minutes=5)
    wait_until(lambda: CommandTaken("mood", wanted, {"mood": "calm", "minutes": 5}) in walk.signals)
    walk.courier.answer(wanted, "ok", data={"music": "Looking for calm music"})
    wait_until(lambda: household.said(f"res/{wanted}") == [{"status": "ok", "data": {"music": "Looking for calm music"}}])


def test_without_a_broker_it_waits_heals_and_nothing_is_lost(tmp_path):
    with Broker(tmp_path / "broker") as broker:
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


@pytest.fixture
def beside(tmp_path):
    """A hub beside the appliance that lets the device in, and the password that it does so for."""
    identity = load_or_make(tmp_path / "device.key")
    (tmp_path / "device.pub").write_text(f"{identity.device} {line_of(identity.key.public_key())}\n")
    hub = HubBeside(tmp_path / "hub", tmp_path / "device.pub")
    yield hub, identity
    hub.close()


@pytest.mark.slow
def test_what_happened_is_stored_by_the_hub_beside_it_which_it_ends_last(tmp_path, beside):
    hub, identity = beside
    walk = Round(tmp_path, hub.endpoint, beside=hub, passwords=SignedToken(lambda: identity, "moodify", lambda: (True, "")), delivery=Delivery.HUB, device=identity.device).start()
    wait_until(lambda: State.OK in walk.states(), within_s=60)
    walk.happen()
    wait_until(lambda: walk.backlog() == 0)
    process = hub._process
    walk.close()
    assert process.poll() == 0


@pytest.mark.slow
def test_a_hub_beside_it_that_is_killed_is_started_again_and_nothing_is_lost(tmp_path, beside):
    hub, identity = beside
    walk = Round(tmp_path, hub.endpoint, beside=hub, passwords=SignedToken(lambda: identity, "moodify", lambda: (True, "")), delivery=Delivery.HUB, device=identity.device).start()
    wait_until(lambda: State.OK in walk.states(), within_s=60)
    hub._process.kill()
    wait_until(lambda: walk.states()[-1] is State.DEGRADED)
    walk.happen()
    wait_until(lambda: walk.backlog() == 0, within_s=60)
    walk.close()


def test_an_end_does_not_wait_for_a_hub_that_is_being_started(tmp_path, beside):
    hub, identity = beside
    walk = Round(tmp_path, hub.endpoint, beside=hub, passwords=NameOnly(identity.device), device=identity.device).start()
    wait_until(lambda: hub._process is not None)
    walk.courier.close()
    walk.thread.join(30)
    assert not walk.thread.is_alive()
    assert State.OK not in walk.states()


def test_without_the_hubs_packages_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_beside, "find_spec", lambda _name: None)
    with pytest.raises(PersonMustAct, match="-m pip install 'sqlalchemy"):
        HubBeside(tmp_path / "hub", tmp_path / "device.pub").endpoint()


def test_a_hub_that_does_not_stay_up_is_told_of_with_its_last_words(tmp_path):
    with pytest.raises(LinkDown, match=r"did not stay up; .*device\.pub"):
        HubBeside(tmp_path / "hub", tmp_path / "device.pub").endpoint()


def test_the_hub_beside_is_ours_also_where_a_folder_named_moodify_lies(tmp_path, monkeypatch):
    (tmp_path / "moodify").mkdir()
    (tmp_path / "moodify" / "__init__.py").write_text("raise SystemExit('another package')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LinkDown, match=r"did not stay up; .*device\.pub"):
        HubBeside(tmp_path / "hub", tmp_path / "device.pub").endpoint()


def test_where_the_device_goes_to_another_hub_nothing_of_its_own_is_left(tmp_path, beside):
    hub, _ = beside
    assert hub.endpoint().host == "127.0.0.1"
    process = hub._process
    hub.remove()
    assert (process.poll(), (tmp_path / "hub").exists()) == (0, False)


def test_told_to_go_anew_it_leaves_one_broker_for_another_at_once(tmp_path, broker):
    with Broker(tmp_path / "other") as other, Household(other.endpoint()) as elsewhere, going(tmp_path, broker.endpoint()) as (goes_to, walk):
        walk.courier.publish("now", {"mood": "calm"})
        wait_until(lambda: State.OK in walk.states(), what="the first broker")
        goes_to[0] = other.endpoint()
        walk.courier.go_anew()
        wait_until(lambda: elsewhere.said("now") == [{"mood": "calm"}], what="the state at the other broker")
        assert State.DEGRADED not in walk.states()


def test_told_to_go_anew_it_gives_up_a_connect_that_nobody_answers(tmp_path, broker, household):
    with socket.create_server(("127.0.0.1", 0)) as silent, going(tmp_path, Endpoint(*silent.getsockname(), tls=False)) as (goes_to, walk):
        walk.courier.publish("now", {"mood": "calm"})
        answered, _ = silent.accept()
        with answered:
            goes_to[0] = broker.endpoint()
            walk.courier.go_anew()
            wait_until(lambda: household.said("now") == [{"mood": "calm"}], what="the state at the broker")
