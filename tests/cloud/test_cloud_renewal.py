"""A fresh token without a false "offline"."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from stub_broker import StubBroker, connack, disconnect

from moodify.cloud.backoff import Backoff
from moodify.cloud.link import _renewal
from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Delivery, Endpoint, LinkState
from moodify.errors import LinkDown, PersonMustAct
from waiting import wait_until

TOPICS = "moodify/v1/m-abcdefghijklmnop"
#: Longer than any machine takes to connect anew, and not much longer.
WILL_DELAY_S = 3


class ShortLived:
    """Passwords that end soon; counts how many were given."""

    def __init__(self, life_s):
        self.given = 0
        self._life_s = life_s

    def credentials(self, now):
        self.given += 1
        return Credentials("m-abcdefghijklmnop", None, now + timedelta(seconds=self._life_s))


class Watcher:
    """Hears what the device says, commits it at once like a hub, and remembers every message."""

    def __init__(self, endpoint):
        self.statuses = []
        self.seqs = []
        self._subscribed = False
        self._connection = Connection(endpoint, Credentials("hub", None), client_id=str(uuid.uuid4()), session_s=0)
        self._connection.subscribe(f"{TOPICS}/up/#")
        wait_until(lambda: self.poll() or self._subscribed, what="the watcher")

    def poll(self):
        for one in self._connection.step(0):
            self._subscribed |= isinstance(one, Subscribed)
            if isinstance(one, Received) and one.topic.endswith("/up/status"):
                self.statuses.append(json.loads(one.payload))
            elif isinstance(one, Received) and one.topic.endswith("/up/ev"):
                body = json.loads(one.payload)
                self.seqs.append(body["seq"])
                self._connection.publish(f"{TOPICS}/down/ack", json.dumps({"v": 1, "epoch": body["epoch"], "ranges": [[body["seq"]] * 2]}).encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()


@pytest.mark.parametrize("delivery", list(Delivery))
def test_with_each_new_token_the_device_stays_online_and_each_summary_comes_once(open_broker, device_at, monkeypatch, delivery):
    monkeypatch.setattr("moodify.cloud.mqtt.WILL_DELAY_S", WILL_DELAY_S)
    passwords = ShortLived(1.2)
    device = device_at(lambda: open_broker.endpoint, passwords=passwords, delivery=delivery)
    with Watcher(open_broker.endpoint) as watcher:
        recorded, next_s = 0, 0.0

        def go_on():
            nonlocal recorded, next_s
            # Far more than a household does, and less than any machine can carry while it connects anew each second: without a limit the backlog grows for ever.
            if time.monotonic() >= next_s:
                recorded += len(device.happen(1))
                next_s = time.monotonic() + 0.05
            watcher.poll()

        device.pump_until(lambda: passwords.given >= 5, also=go_on)
        device.pump_until(lambda: device.outbox.backlog() == 0 and len(watcher.statuses) >= 5, also=watcher.poll)
        # A will that was only put off would come by now.
        until_s = time.monotonic() + WILL_DELAY_S + 0.5
        device.pump_until(lambda: time.monotonic() > until_s, also=watcher.poll)
    assert {status["state"] for status in watcher.statuses} == {"online"}
    assert len({status["boot"] for status in watcher.statuses}) == 1
    assert watcher.seqs == list(range(1, recorded + 1))
    assert device.changes == [("online", "connected")]


def test_the_watcher_does_see_a_device_that_is_cut_off(open_broker, device_at, monkeypatch):
    monkeypatch.setattr("moodify.cloud.mqtt.WILL_DELAY_S", 1)
    device = device_at(lambda: open_broker.endpoint)
    with Watcher(open_broker.endpoint) as watcher:
        device.pump_until(lambda: watcher.statuses, also=watcher.poll)
        device.link._connection.abandon()
        wait_until(lambda: watcher.poll() or len(watcher.statuses) == 2)
    assert [status["state"] for status in watcher.statuses] == ["online", "offline"]


def test_a_new_token_waits_for_what_is_under_way(stub, device_at):
    stub.puback = lambda payload: 0 if b"state" in payload else None
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False))
    device.happen(2)
    device.pump_until(lambda: len(stub.events()) == 2)
    device.link.renew()
    device.happen(1)
    for _ in range(10):
        device.link.pump(device.outbox, 0.02)
    assert len(stub.connects) == 1
    assert len(stub.events()) == 2, "nothing new is begun meanwhile"
    stub.puback = lambda payload: 0
    stub.say(bytes([0x40, 2, *_mid_of(device, 0)]) + bytes([0x40, 2, *_mid_of(device, 1)]))
    device.until_empty()
    assert len(stub.connects) == 2
    assert [json.loads(payload)["seq"] for payload in stub.events()] == [1, 2, 3]
    assert device.changes == [("online", "connected")]


def _mid_of(device, index):
    return sorted(device.link._conversation._sender._flying)[index].to_bytes(2, "big")


def test_a_new_token_does_not_wait_for_ever(stub, device_at, monkeypatch):
    monkeypatch.setattr("moodify.cloud.link._RENEW_S", 0.2)
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False), delivery=Delivery.HUB)
    device.happen(1)
    device.pump_until(lambda: len(stub.events()) == 1)
    device.link.renew()
    device.pump_until(lambda: len(stub.events()) == 2)
    assert len(stub.connects) == 2
    assert device.changes == [("online", "connected")]


def test_it_connects_anew_in_the_last_tenth_of_a_token_at_a_moment_of_chance():
    def after_s(life_s):
        return _renewal(Credentials("a", "b", datetime.now(UTC) + timedelta(seconds=life_s)), 1000.0) - 1000.0

    moments = [after_s(3600) for _ in range(200)]
    assert all(3239 <= moment <= 3600 for moment in moments)
    assert max(moments) - min(moments) > 180
    assert after_s(-5) == 1.0, "a clock that was set meanwhile is no reason to hurry"
    assert _renewal(Credentials("a", "b"), 1000.0) is None


def test_a_gate_that_ends_a_token_is_left_and_come_back_to_at_once_and_nobody_is_told(stub, device_at):
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False))
    device.link._backoff = Backoff(base_s=3600, cap_s=3600)
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    stub.say(disconnect(0xA0))
    device.pump_until(lambda: len(stub.connects) == 2 and device.link._conversation is not None)
    assert device.changes == [("online", "connected")]
    device.link._opened_s -= 3600
    stub.say(disconnect(0xA0))
    device.pump_until(lambda: len(stub.connects) == 3 and device.link._conversation is not None)
    stub.say(disconnect(0xA0))
    device.pump_until(lambda: len(stub.connects) == 4 and device.link._conversation is not None)
    assert device.changes == [("online", "connected")]


def test_a_gate_that_ends_each_token_at_once_is_not_run_into_again_and_again(stub, stubbed):
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.ONLINE)
    stub.say(disconnect(0xA0))
    stubbed.pump_until(lambda: len(stub.connects) == 2 and stubbed.link._conversation is not None)
    stub.say(disconnect(0xA0))
    stubbed.pump_until(lambda: stubbed.link.state is LinkState.OFFLINE)
    assert stubbed.link.reason == "the connection to the broker was lost: maximum connect time"


def test_a_new_target_is_taken_when_it_is_asked_for_without_a_restart(stub, device_at):
    with StubBroker() as hub:
        place = [stub.port]
        device = device_at(lambda: Endpoint("127.0.0.1", place[0], tls=False))
        device.pump_until(lambda: device.link.state is LinkState.ONLINE)
        place[0] = hub.port
        device.link.renew()
        device.happen(1)
        device.pump_until(hub.events)
        assert (len(stub.connects), len(hub.connects)) == (1, 1)


def test_a_device_that_waits_to_try_again_tries_at_once_when_it_is_told(stub, device_at):
    stub.connack = connack(0x87)
    device = device_at(lambda: Endpoint("127.0.0.1", stub.port, tls=False))
    device.link._backoff = Backoff(base_s=3600, cap_s=3600)
    device.pump_until(lambda: device.link.state is LinkState.REFUSED)
    stub.connack = connack(0)
    device.link.renew()
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)


def test_a_clock_that_cannot_be_trusted_yet_is_asked_again_within_seconds(device_at):
    class Waiting:
        def credentials(self, now):
            raise LinkDown("waiting for the right time before signing in: the clock is not set")

    device = device_at(lambda: Endpoint("127.0.0.1", 9, tls=False), passwords=Waiting())
    device.link._backoff = Backoff(base_s=3600, cap_s=3600)
    device.pump_until(lambda: device.changes)
    assert device.changes == [("offline", "waiting for the right time before signing in: the clock is not set")]
    assert device.link._retry_at_s - time.monotonic() <= 5


def test_what_a_person_must_do_about_the_target_shows(device_at):
    def damaged():
        raise PersonMustAct("hub.json is damaged; enrol this device again: moodify device enroll")

    device = device_at(damaged)
    device.pump_until(lambda: device.changes)
    assert device.changes == [("refused", "hub.json is damaged; enrol this device again: moodify device enroll")]
