"""One connection at a real mosquitto: what the link and the hub build on."""

from __future__ import annotations

import json
import socket
import subprocess
import uuid

import pytest

from moodify.cloud.mqtt import Acked, Connected, Connection, Received, Refused, Retained, Subscribed, shared
from moodify.cloud.port import Credentials, Endpoint
from moodify.errors import LinkDown, LinkRefused
from waiting import wait_until


class Client:
    """A connection with everything that it has signalled."""

    def __init__(self, endpoint, *topics, retained=Retained.ALWAYS, client_id=None, session_s=0, **options):
        self.signals = []
        self.connection = Connection(endpoint, Credentials("somebody", None), client_id=client_id or str(uuid.uuid4()), session_s=session_s, **options)
        self.until(lambda: self.of(Connected))
        if topics:
            self.mid = self.connection.subscribe(*topics, retained=retained)
            self.until(lambda: self.of(Subscribed))

    def poll(self):
        self.signals += self.connection.step(0.02)

    def of(self, kind):
        return [signal for signal in self.signals if isinstance(signal, kind)]

    @property
    def heard(self):
        return [(message.topic, message.payload) for message in self.of(Received)]

    def until(self, condition):
        wait_until(lambda: self.poll() or condition(), what=lambda: f"what the client waits for (it has {self.signals})", every_s=0)

    def publish(self, *arguments, **options):
        mid = self.connection.publish(*arguments, **options)
        self.until(lambda: any(ack.mid == mid for ack in self.of(Acked)))

    def settled(self):
        """Hear all that was published before: a message to ourselves comes after it."""
        topic = f"settled/{uuid.uuid4()}"
        self.connection.subscribe(topic)
        self.publish(topic, b"")
        self.until(lambda: (topic, b"") in self.heard)
        for message in self.of(Received):
            if message.topic == topic:
                self.connection.ack(message)
                self.signals.remove(message)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


@pytest.fixture
def client(open_broker):
    """A maker of clients at a mosquitto that lets everybody do everything."""
    made = []

    def make(*topics, **options):
        made.append(Client(open_broker.endpoint, *topics, **options))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


def test_a_unix_socket_is_as_good_as_a_port(mosquitto, tmp_path):
    broker = mosquitto(f"listener 0 {tmp_path}/m.sock\nallow_anonymous true\n", ready=tmp_path / "m.sock")
    with Client(Endpoint("", 0, tls=False, socket=tmp_path / "m.sock"), "a") as client:
        client.publish("a", b"b")
        client.until(lambda: client.heard == [("a", b"b")])
    assert broker.process.poll() is None


def test_a_unix_socket_may_have_a_path_longer_than_the_system_call_takes(mosquitto, tmp_path):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    mosquitto("listener 0 m.sock\nallow_anonymous true\n", ready=deep / "m.sock", folder=deep)
    assert len(str(deep / "m.sock")) > 107
    with Client(Endpoint("", 0, tls=False, socket=deep / "m.sock"), "a") as client:
        client.publish("a", b"b")
        client.until(lambda: client.heard == [("a", b"b")])


@pytest.mark.parametrize("name", ["m.sock", "d" * 120 + "/m.sock"])
def test_a_unix_socket_that_nobody_listens_to_is_down(tmp_path, name):
    with pytest.raises(LinkDown, match=r"m\.sock cannot be reached"):
        Connection(Endpoint("", 0, tls=False, socket=tmp_path / name), Credentials("somebody", None), client_id="c")


def test_several_topics_are_one_subscription(client):
    one = client("a/+", "b")
    for topic in ("a/1", "b", "c"):
        one.publish(topic, b"x")
    one.settled()
    assert one.heard == [("a/1", b"x"), ("b", b"x")]
    assert one.of(Subscribed)[0] == Subscribed(one.mid)


def test_messages_of_a_shared_subscription_go_to_one_each(client):
    members = [client(shared("collectors", "ev/+")) for _ in range(2)]
    device = client()
    for number in range(20):
        device.publish(f"ev/{number}", b"x")
    for member in members:
        member.settled()
    heard = [topic for member in members for topic, _ in member.heard]
    assert sorted(heard) == sorted(f"ev/{number}" for number in range(20))
    assert all(member.heard for member in members)


@pytest.mark.parametrize(("retained", "comes"), [(Retained.ALWAYS, 2), (Retained.IF_NEW, 1), (Retained.NEVER, 0)])
def test_retained_messages_come_as_a_subscription_asks(client, retained, comes):
    client().publish("state", b"x", retain=True)
    one = client("state", retained=retained)
    one.connection.subscribe("state", retained=retained)
    one.settled()
    assert [message.retained for message in one.of(Received)] == [True] * comes


def test_what_is_acknowledged_by_hand_comes_again_until_it_is(client):
    name = str(uuid.uuid4())
    options = {"client_id": name, "session_s": 300, "manual_ack": True}
    first = client("ev", **options)
    device = client()
    for number in (b"1", b"2"):
        device.publish("ev", number)
    first.until(lambda: len(first.heard) == 2)
    first.connection.ack(first.of(Received)[0])
    first.settled()
    first.connection.abandon()
    second = client(**options)
    second.until(lambda: second.heard)
    second.connection.ack(second.of(Received)[0])
    second.settled()
    second.connection.abandon()
    third = client(**options)
    third.settled()
    assert [one.of(Connected)[0].session_present for one in (first, second, third)] == [False, True, True]
    assert second.heard == [("ev", b"2")]
    assert third.heard == []


def test_a_new_session_is_begun_where_it_is_asked_for(client):
    options = {"client_id": str(uuid.uuid4()), "session_s": 300}
    client("ev", **options).connection.abandon()
    again = client(clean_start=True, **options)
    client().publish("ev", b"x")
    again.settled()
    assert not again.of(Connected)[0].session_present
    assert again.heard == []


def test_a_message_says_what_is_left_of_its_time(client):
    one = client("cmd")
    one.publish("cmd", b"x", expiry_s=60)
    one.publish("cmd", b"y")
    one.until(lambda: len(one.heard) == 2)
    left_s, none = (message.expiry_s for message in one.of(Received))
    assert 50 <= left_s <= 60
    assert none is None
    assert {message.qos for message in one.of(Received)} == {1}


def test_a_burst_comes_from_one_step(client):
    one = client("ev")
    device = client(in_flight=500)
    for _ in range(300):
        device.connection.publish("ev", b"x")
    device.until(lambda: len(device.of(Acked)) == 300)
    steps = 0
    while (before := len(one.heard)) < 300:
        one.poll()
        # On a slow machine mosquitto is waited for.
        steps += len(one.heard) > before
    assert steps < 30


def test_what_is_larger_than_asked_for_is_not_sent_to_us(client):
    one = client("ev", largest=1000)
    device = client()
    device.publish("ev", b"x" * 2000)
    device.publish("ev", b"y")
    one.settled()
    assert one.heard == [("ev", b"y")]


def test_a_refused_subscription_names_its_topic(stub):
    stub.suback = lambda topics: [0x87 if topic == "b" else 1 for topic in topics]
    connection = Connection(Endpoint("127.0.0.1", stub.port, tls=False), Credentials("somebody", None), client_id="c")
    signals = []
    wait_until(lambda: signals.extend(connection.step(0.02)) or signals, what="CONNACK")
    connection.subscribe("a", "b")
    wait_until(lambda: signals.extend(connection.step(0.02)) or len(signals) == 2, what="SUBACK")
    connection.close()
    assert signals[1] == Refused(0x87, "subscription to b: Not authorized", "b")


def test_mosquittos_own_publisher_is_heard_with_its_properties(client, open_broker):
    if subprocess.run(["which", "mosquitto_pub"], check=False, capture_output=True).returncode:
        pytest.skip("needs mosquitto_pub, which scripts/test --all installs (package mosquitto-clients)")
    one = client("cmd")
    where = ["-h", "127.0.0.1", "-p", str(open_broker.endpoint.port), "-V", "5", "-q", "1"]
    subprocess.run(["mosquitto_pub", *where, "-t", "cmd", "-m", json.dumps({"id": "1"}), "-D", "publish", "message-expiry-interval", "30"], check=True)
    one.until(lambda: one.heard)
    assert one.heard == [("cmd", b'{"id": "1"}')]
    assert 20 <= one.of(Received)[0].expiry_s <= 30


def test_a_port_that_nobody_listens_to_is_down():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(LinkDown, match="cannot be reached"):
            Connection(Endpoint("127.0.0.1", probe.getsockname()[1], tls=False), Credentials("somebody", None), client_id="c")


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("host", ["x" * 300, "a..b", "\ud800", "\0"])
def test_whatever_stands_for_a_host_nothing_escapes_but_our_own_errors(host, tls):
    with pytest.raises((LinkDown, LinkRefused), match=r"cannot be reached|not on this machine"):
        Connection(Endpoint(host, 8883, tls=tls), Credentials("somebody", None), client_id="c")
