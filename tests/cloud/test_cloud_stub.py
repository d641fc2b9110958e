"""The scripted broker answers a device as mosquitto does, where it is not told otherwise."""

from __future__ import annotations

import json
import uuid

import pytest
from stub_broker import publish

from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.port import Command, Credentials, Delivery, Endpoint, LinkState
from waiting import wait_until

UP = "moodify/v1/m-abcdefghijklmnop/up"
DOWN = "moodify/v1/m-abcdefghijklmnop/down"


class AtTheStub:
    """Sees and says, from inside."""

    def __init__(self, stub):
        self._stub = stub
        self.endpoint = Endpoint("127.0.0.1", stub.port, tls=False)

    def heard(self):
        return [(topic, payload, retained) for topic, payload, retained in self._stub.published if topic.startswith(UP)]

    def say(self, topic, payload):
        self._stub.say(publish(topic, payload, mid=1))

    def close(self):
        """Nothing is to be closed."""


class AtMosquitto:
    """Sees and says as a subscriber does."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self._heard = []
        self._connection = Connection(endpoint, Credentials("hub", None), client_id=str(uuid.uuid4()), session_s=0)
        self._connection.subscribe(f"{UP}/#")
        signals = []
        wait_until(lambda: signals.extend(self._connection.step(0.02)) or any(isinstance(one, Subscribed) for one in signals))

    def heard(self):
        self._heard += [(one.topic, one.payload, one.retained) for one in self._connection.step(0) if isinstance(one, Received)]
        return self._heard

    def say(self, topic, payload):
        self._connection.publish(topic, payload)

    def close(self):
        self._connection.close()


@pytest.fixture(params=["stub", "mosquitto"])
def other(request):
    """The other end of a device's link."""
    end = AtTheStub(request.getfixturevalue("stub")) if request.param == "stub" else AtMosquitto(request.getfixturevalue("open_broker").endpoint)
    yield end
    end.close()


def test_birth_states_summaries_and_farewell_look_the_same(other, device_at):
    device = device_at(lambda: other.endpoint)
    device.link.publish_state("now", {"mood": "calm"})
    device.happen(3)
    device.until_empty()
    device.link.close()
    wait_until(lambda: len(other.heard()) == 6)
    assert [(topic.removeprefix(f"{UP}/"), retained) for topic, _, retained in other.heard()] == [
        ("status", True),
        ("now", True),
        ("ev", False),
        ("ev", False),
        ("ev", False),
        ("status", True),
    ]
    assert device.changes == [("online", "connected")]


def test_acknowledgements_and_commands_come_and_are_answered_the_same(other, device_at):
    device = device_at(lambda: other.endpoint, delivery=Delivery.HUB)
    device.happen(2)
    device.pump_until(lambda: sum(topic.endswith("/ev") for topic, _, _ in other.heard()) == 2)
    epoch = next(json.loads(payload)["epoch"] for topic, payload, _ in other.heard() if topic.endswith("/ev"))
    other.say(f"{DOWN}/ack", json.dumps({"v": 1, "epoch": epoch, "ranges": [[1, 2]]}).encode())
    device.until_empty()
    other.say(f"{DOWN}/cmd/rescan", b'{"id": "r1"}')
    device.pump_until(lambda: device.commands)
    device.link.answer("r1", "ok")
    device.pump_until(lambda: (f"{UP}/res/r1", b'{"status":"ok"}', False) in other.heard())
    assert device.commands == [Command("r1", "rescan")]


def test_a_cut_is_noticed_and_healed_the_same(other, device_at):
    device = device_at(lambda: other.endpoint)
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    device.link._connection.abandon()
    device.pump_until(lambda: len(device.changes) == 3)
    assert [state for state, _ in device.changes] == ["online", "offline", "online"]
