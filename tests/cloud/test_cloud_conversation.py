"""What is said and heard on a connection beside summaries: subscriptions, commands and their answers, a new key, a guest."""

from __future__ import annotations

import json
import re
import uuid

import jwt
import pytest
from stub_broker import connack, disconnect, publish

from moodify.cloud.backoff import Backoff
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.passwords import SignedToken
from moodify.cloud.port import Command, Companion, Credentials, Delivery, Endpoint, LinkState, Publication, Rotation
from moodify.cloud.rotation import KeyRotation, begin
from moodify.errors import StoreBusy
from moodify.sqlite import transaction
from waiting import wait_until

UP = "moodify/v1/m-abcdefghijklmnop/up"
DOWN = "moodify/v1/m-abcdefghijklmnop/down"


def rescan(command_id, mid=None, **more):
    return publish(f"{DOWN}/cmd/rescan", json.dumps({"id": command_id, **more}).encode(), mid=mid)


def answers(stub, command_id):
    return [json.loads(payload) for topic, payload, _ in stub.published if topic == f"{UP}/res/{command_id}"]


def subscriptions(device):
    return device.link._conversation._subscriptions


@pytest.fixture
def online(stub, stubbed):
    """A device that the scripted broker has taken."""
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    return stubbed


class Recording(Backoff):
    """Remembers what it was asked."""

    def __init__(self):
        super().__init__(base_s=0.01, cap_s=0.05)
        object.__setattr__(self, "asked", [])

    def delay_s(self, attempt, chance=None):
        self.asked.append(attempt)
        return super().delay_s(attempt, chance)


def test_the_device_listens_to_its_own_topics_alone(stub, online):
    online.happen(1)
    online.until_empty()
    assert stub.subscribed == [f"{DOWN}/ack", f"{DOWN}/cmd/#"]


def test_a_connect_that_is_refused_five_times_is_tried_with_ever_longer_waits(stub, stubbed):
    recording = stubbed.link._backoff = Recording()
    stub.connack = connack(0x88)
    stubbed.pump_until(lambda: len(stub.connects) >= 5)
    assert recording.asked[:4] == [1, 2, 3, 4]
    stub.connack = connack(0)
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    assert [state for state, _ in stubbed.changes] == ["offline", "online"]


def test_a_subscription_that_is_not_answered_is_asked_for_again_and_shows(stub, stubbed):
    stub.suback = lambda topics: None if topics == [f"{DOWN}/ack"] else [1]
    stubbed.pump_until(lambda: stub.subscribed == [f"{DOWN}/ack", f"{DOWN}/cmd/#"] and len(subscriptions(stubbed)._missing) == 1)
    subscriptions(stubbed)._timeout_s = subscriptions(stubbed)._missing[f"{DOWN}/ack"].again_at_s = 0.1
    stubbed.pump_until(lambda: stub.subscribed.count(f"{DOWN}/ack") >= 3)
    assert stubbed.link.state is LinkState.ONLINE
    assert stubbed.link.reason == f"connected, but the broker does not answer the subscription to {DOWN}/ack"
    stub.suback = lambda topics: [1]
    stubbed.pump_until(lambda: stubbed.link.reason == "connected")
    asked = stub.subscribed.count(f"{DOWN}/ack")
    stubbed.happen(3)
    stubbed.until_empty()
    assert stub.subscribed.count(f"{DOWN}/ack") == asked
    assert stub.subscribed.count(f"{DOWN}/cmd/#") == 1
    assert len(stub.connects) == 1


def test_without_a_right_to_wildcards_the_rest_works_and_it_shows_until_the_right_is_given(stub, stubbed):
    stub.suback = lambda topics: [0x87 if "#" in topic else 1 for topic in topics]
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    subscriptions(stubbed)._timeout_s = 0.1
    stubbed.happen(3)
    stubbed.until_empty()
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.REFUSED)
    assert stubbed.link.reason == f"the broker refuses this device's subscription to {DOWN}/cmd/#: not authorized; let it read {DOWN}/cmd/#"
    stub.suback = lambda topics: [1]
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    assert len(stub.connects) == 1


def test_an_answer_comes_with_its_data_and_again_to_a_repeat(stub, online):
    stub.say(rescan("r1", mid=1))
    online.pump_until(lambda: online.commands)
    online.link.answer("r1", "ok", data={"disk": 7})
    online.pump_until(lambda: answers(stub, "r1"))
    stub.say(rescan("r1", mid=2))
    online.pump_until(lambda: len(answers(stub, "r1")) == 2)
    assert answers(stub, "r1") == [{"status": "ok", "data": {"disk": 7}}] * 2
    assert online.commands == [Command("r1", "rescan")]
    online.pump_until(lambda: stub.pubacks == [1, 2])


def test_a_repeat_while_it_is_under_way_gets_the_one_answer(stub, online):
    stub.say(rescan("r1") + rescan("r1"))
    online.pump_until(lambda: online.commands)
    online.link.answer("r1", "error", "no camera")
    online.happen(1)
    online.until_empty()
    assert answers(stub, "r1") == [{"status": "error", "error": "no camera"}]


@pytest.mark.parametrize(
    ("name", "payload", "error"),
    [
        ("format-disk", b'{"id": "x1"}', "there is no command 'format-disk'"),
        ("volume", b'{"id": "x1", "percent": 50}', "the owner does not allow 'volume'"),
        ("rescan", b'{"id": "x1", "pad": "%s"}' % (b"x" * 4096), "larger than 4096 bytes"),
        ("rescan", b'{"id": "x1", "expires": "2020-01-01T00:00:00+00:00"}', "expired at 2020-01-01T00:00:00+00:00"),
        ("rescan", b'{"id": "x1", "expires": 1}', '"expires" must be a time'),
    ],
)
def test_what_is_not_done_is_answered_with_its_reason(stub, online, name, payload, error):
    stub.say(publish(f"{DOWN}/cmd/{name}", payload, mid=1))
    online.pump_until(lambda: answers(stub, "x1"))
    (answer,) = answers(stub, "x1")
    assert answer["status"] == "error"
    assert error in answer["error"]
    assert online.commands == []
    online.pump_until(lambda: stub.pubacks == [1])


def test_a_retained_command_is_answered_and_not_done(stub, online):
    stub.say(publish(f"{DOWN}/cmd/rescan", b'{"id": "x1"}', retain=True))
    online.pump_until(lambda: answers(stub, "x1"))
    assert answers(stub, "x1") == [{"status": "error", "error": "a command must not be retained"}]
    assert online.commands == []


def test_half_a_letter_in_a_command_harms_nobody(stub, online):
    stub.say(rescan("x1"))
    online.pump_until(lambda: online.commands)
    online.link.answer("x1", "error", "there is no \ud800")
    online.pump_until(lambda: answers(stub, "x1"))
    assert answers(stub, "x1")[0]["error"] == "there is no \ud800"


def test_a_command_that_a_crash_came_into_is_not_done_twice(stub, online, device_at):
    stub.say(rescan("r1"))
    online.pump_until(lambda: online.commands)
    online.link._connection.abandon()
    again = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), path=online.path)
    again.pump_until(lambda: again.link.state is LinkState.ONLINE)
    stub.say(rescan("r1"))
    again.pump_until(lambda: answers(stub, "r1"))
    assert answers(stub, "r1") == [{"status": "error", "error": "was begun before a restart; it is not done twice"}]
    assert again.commands == []


def test_an_answer_that_the_broker_may_not_have_is_sent_again_over_the_next_connection(stub, online):
    stub.puback = lambda payload: None if b'"status"' in payload and len(stub.connects) == 1 else 0
    stub.say(rescan("r1"))
    online.pump_until(lambda: online.commands)
    online.link.answer("r1", "ok")
    online.pump_until(lambda: answers(stub, "r1"))
    stub.say(disconnect(0x8B))
    online.pump_until(lambda: len(answers(stub, "r1")) == 2)
    online.happen(1)
    online.until_empty()
    assert answers(stub, "r1") == [{"status": "ok"}] * 2


def test_an_answer_waits_for_a_connection(stub, online):
    stub.say(rescan("r1"))
    online.pump_until(lambda: online.commands)
    stub.connack = None
    stub.say(disconnect(0x8B))
    online.pump_until(lambda: online.link.state is LinkState.OFFLINE)
    online.link.answer("r1", "ok")
    online.link.pump(online.outbox, 0)
    online.link._lasting.timeout_s = 1.0
    stub.connack = connack(0)
    online.pump_until(lambda: answers(stub, "r1"))
    assert answers(stub, "r1") == [{"status": "ok"}]


def test_while_the_memory_is_busy_a_command_waits_and_is_done_once(stub, online):
    online.settings._db.execute("PRAGMA busy_timeout = 20")
    stub.say(rescan("r1", mid=7))
    with transaction(online.store._db), pytest.raises(StoreBusy):
        online.pump_until(lambda: online.commands)
    assert stub.pubacks == []
    online.pump_until(lambda: stub.pubacks == [7])
    assert online.commands == [Command("r1", "rescan")]


def test_while_the_memory_is_busy_an_answer_waits(stub, online):
    stub.say(rescan("r1"))
    online.pump_until(lambda: online.commands)
    online.settings._db.execute("PRAGMA busy_timeout = 20")
    online.link.answer("r1", "ok")
    with transaction(online.store._db), pytest.raises(StoreBusy):
        online.link.pump(online.outbox, 0)
    online.pump_until(lambda: answers(stub, "r1") == [{"status": "ok"}])


def test_what_is_too_large_to_send_is_left_out_and_the_rest_goes_on(stub, stubbed):
    stub.connack = connack(0, b"\x27" + (500).to_bytes(4, "big"))
    stubbed.link.publish_state("now", {"text": "x" * 1000})
    stubbed.link.publish_state("health", {"ok": True})
    stubbed.pump_until(lambda: any(topic == f"{UP}/health" for topic, _, _ in stub.published))
    stubbed.happen(1)
    stubbed.until_empty()
    assert f"{UP}/now" not in [topic for topic, _, _ in stub.published]
    assert len(stub.connects) == 1


def key_of(connect):
    token = re.search(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+$", connect)[0]
    return jwt.get_unverified_header(token)["kid"]


@pytest.fixture
def keyed(stub, device_at, tmp_path):
    """A device that signs in with a token, and the file of its key."""
    path = tmp_path / "device.key"
    load_or_make(path)
    rotation: Rotation = KeyRotation(path, "moodify")
    device = device_at(
        lambda: Endpoint("127.0.0.1", stub.port, tls=False),
        passwords=SignedToken(lambda: load(path), "moodify", lambda: (True, "")),
        delivery=Delivery.HUB,
        rotation=rotation,
    )
    return device, path


def offers(stub):
    return [json.loads(payload) for topic, payload, _ in stub.published if topic == f"{UP}/key"]


def test_a_new_key_is_offered_and_once_the_hub_has_taken_it_the_device_signs_in_with_it(stub, keyed):
    device, path = keyed
    old = load(path)
    new, _ = begin(path)
    device.pump_until(lambda: offers(stub))
    (offer,) = offers(stub)
    claims = jwt.decode(offer["proof"], offer["public_key"], algorithms=["ES256"], audience="moodify")
    assert (offer["kid"], claims["sub"]) == (new.kid, old.device)
    stub.say(publish(f"{DOWN}/key", json.dumps({"kid": new.kid, "status": "ok"}).encode(), mid=3))
    device.pump_until(lambda: len(stub.connects) == 2 and device.link._conversation is not None)
    assert [key_of(connect) for connect in stub.connects] == [old.kid, new.kid]
    assert device.changes == [("online", "connected")]
    # Or it would be said again, and again.
    device.pump_until(lambda: stub.pubacks == [3])
    assert f"{DOWN}/key" in stub.subscribed


def test_a_key_that_the_hub_refuses_is_dropped_and_the_old_one_stays(stub, keyed):
    device, path = keyed
    old = load(path)
    new, _ = begin(path)
    device.pump_until(lambda: offers(stub))
    stub.say(publish(f"{DOWN}/key", json.dumps({"kid": new.kid, "status": "error", "error": "no"}).encode(), mid=3))
    device.pump_until(lambda: stub.pubacks == [3])
    stub.say(disconnect(0x8B))
    device.pump_until(lambda: len(stub.connects) == 2 and device.link._conversation is not None)
    assert [key_of(connect) for connect in stub.connects] == [old.kid] * 2
    assert len(offers(stub)) == 1


@pytest.mark.parametrize("answer", [b"", b"[]", b"\xff", b'{"kid":"another","status":"ok"}', b'{"kid":7,"status":"ok"}', b"[" * 9000])
def test_an_answer_to_no_key_changes_nothing(stub, keyed, answer):
    device, path = keyed
    old = load(path)
    begin(path)
    device.pump_until(lambda: offers(stub))
    stub.say(publish(f"{DOWN}/key", answer, mid=3))
    device.pump_until(lambda: stub.pubacks == [3])
    device.happen(1)
    device.pump_until(stub.events)
    assert load(path).kid == old.kid
    assert len(stub.connects) == 1


def test_a_key_that_is_not_answered_is_offered_again_and_one_that_comes_later_is_found(stub, keyed, monkeypatch):
    monkeypatch.setattr("moodify.cloud.keychange.LOOK_S", 0.05)
    monkeypatch.setattr("moodify.cloud.keychange.OFFER_S", 0.2)
    device, path = keyed
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    new, _ = begin(path)
    device.pump_until(lambda: len(offers(stub)) == 2)
    assert {offer["kid"] for offer in offers(stub)} == {new.kid}


class Guest:
    """Somebody who wants to be told of the device when it connects, and when they say that they have started."""

    topics = ("guest/status",)

    def __init__(self):
        self.heard_of = []
        self._due = []

    def connected(self):
        self._due = [Publication("guest/device", b"config", retain=True)]

    def heard(self, topic, payload, *, retained):
        self.heard_of.append((topic, payload, retained))
        if payload == b"online":
            self.connected()

    def due(self):
        due, self._due = self._due, []
        return due


def test_a_guest_is_told_at_each_connect_and_hears_its_own_topics(open_broker, device_at):
    guest: Companion = Guest()
    device = device_at(lambda: open_broker.endpoint, guest=guest)
    heard = []
    signals = []
    other = Connection(open_broker.endpoint, Credentials("guest", None), client_id=str(uuid.uuid4()), session_s=0)
    other.subscribe("guest/device")

    def poll():
        signals.extend(other.step(0))
        heard.extend(one for one in signals if isinstance(one, Received) and one not in heard)

    wait_until(lambda: poll() or any(isinstance(one, Subscribed) for one in signals))
    device.pump_until(lambda: len(heard) == 1, also=poll)
    other.publish("guest/status", b"online")
    device.pump_until(lambda: len(heard) == 2, also=poll)
    device.link._connection.abandon()
    device.pump_until(lambda: len(heard) == 3, also=poll)
    other.close()
    assert {(one.payload, one.retained) for one in heard} == {(b"config", True)}
    assert guest.heard_of == [("guest/status", b"online", False)]
    assert device.commands == []


def test_commands_that_are_refused_by_the_hundred_make_few_lines_in_the_log(stub, keyed, caplog):
    device, _ = keyed
    device.pump_until(lambda: f"{DOWN}/cmd/#" in stub.subscribed)
    for number in range(60):
        stub.say(publish(f"{DOWN}/cmd/nonsense{number % 30}", json.dumps({"id": f"id-{number}"}).encode(), mid=number + 1))
    device.pump_until(lambda: len(stub.pubacks) == 60)
    assert caplog.text.count("a command was not carried out") == 5
