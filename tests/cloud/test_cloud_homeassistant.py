"""Home Assistant at the household's broker: what it is told, when, and what its commands look like. scripts/test-homeassistant holds the payload to its schema."""

import json
from datetime import UTC, datetime

import pytest

from brokers import Broker
from moodify.cloud.homeassistant import HomeAssistant, config_topic, discovery, farewell, take_out
from moodify.cloud.mqtt import Connected, Connection, Received, Subscribed
from moodify.cloud.port import Credentials, Delivery, LinkState, Target
from moodify.cloud.topics import Topics
from moodify.errors import LinkRefused
from signing import NameOnly
from waiting import wait_until

DEVICE = "m-abcdefghijklmnop"
TOPICS = Topics(DEVICE)
CONFIG = config_topic("homeassistant", DEVICE)


def entries(*commands):
    return json.loads(discovery(TOPICS, name="Moodify", version="1", commands=commands))["cmps"]


def test_what_the_owner_does_not_allow_is_not_offered():
    assert {"rescan", "privacy_on", "goal"} & set(entries()) == set()
    assert {"rescan", "privacy_on", "goal"} <= set(entries("rescan", "privacy", "goal"))


def test_privacy_is_shown_and_turned_on_and_never_off():
    shown = entries("rescan", "pause", "resume", "privacy", "mood", "volume", "goal", "diagnostics")
    assert (shown["privacy"]["p"], "cmd_t" in shown["privacy"]) == ("binary_sensor", False)
    assert (shown["privacy_on"]["p"], shown["privacy_on"]["cmd_t"]) == ("button", TOPICS.command("privacy"))
    assert {entry["p"] for entry in shown.values()} == {"binary_sensor", "sensor", "button", "select"}


def test_each_entry_has_a_platform_and_an_id_of_its_own_and_reads_what_the_device_publishes():
    shown = entries("rescan", "privacy", "goal")
    assert len({entry["unique_id"] for entry in shown.values()}) == len(shown)
    read = {entry["stat_t"] for entry in shown.values() if "stat_t" in entry}
    assert read == {TOPICS.state(name) for name in ("now", "state", "health")}


class Household:
    """Home Assistant, as far as the broker sees it."""

    def __init__(self, endpoint):
        self.heard = []
        self._connection = Connection(endpoint, Credentials("household", None), client_id="home-assistant", session_s=0)
        wait_until(lambda: self._step(0.05) or self._connected, what="the connection")
        self._connection.subscribe(CONFIG, f"moodify/v1/{DEVICE}/up/res/+")
        wait_until(lambda: self._step(0.05) or self._subscribed, what="the subscription")

    _connected = _subscribed = False

    def _step(self, timeout_s):
        for signal in self._connection.step(timeout_s):
            if isinstance(signal, Connected):
                self._connected = True
            if isinstance(signal, Subscribed):
                self._subscribed = True
            if isinstance(signal, Received):
                self.heard.append((signal.topic, signal.payload))
        return False

    def payloads(self):
        self._step(0.02)
        return [payload for topic, payload in self.heard if topic == CONFIG]

    def answers(self):
        self._step(0.02)
        return {topic.rsplit("/", 1)[1]: json.loads(payload)["status"] for topic, payload in self.heard if "/up/res/" in topic}

    def say(self, topic, payload, *, retain=False):
        self._connection.publish(topic, payload, retain=retain)
        self._step(0.05)

    def close(self):
        self._connection.close()


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def household(broker):
    household = Household(broker.endpoint())
    yield household
    household.close()


@pytest.fixture
def device(broker, device_at):
    guest = HomeAssistant(TOPICS, prefix="homeassistant", version="1", commands=("rescan",))
    device = device_at(broker.endpoint, guest=guest)
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    device.pump_until(lambda: not device.link._conversation._subscriptions._missing)
    return device


def test_it_is_told_at_the_connect_and_again_when_it_has_started_anew(device, household):
    device.pump_until(lambda: len(household.payloads()) == 1)
    household.say("homeassistant/status", b"online")
    device.pump_until(lambda: len(household.payloads()) == 2)
    household.say("homeassistant/status", b"offline")
    household.say("homeassistant/status", b"online", retain=True)
    device.pump_until(lambda: len(household.payloads()) == 3)
    assert set(household.payloads()) == {discovery(TOPICS, name="Moodify", version="1", commands=("rescan",))}


def test_what_it_was_told_is_retained_until_the_device_is_forgotten(device, household, broker):
    device.pump_until(household.payloads)
    gone = farewell(TOPICS, "homeassistant")
    household.say(gone.topic, gone.payload, retain=gone.retain)
    late = Household(broker.endpoint())
    assert late.payloads() == []
    late.close()


def test_its_commands_need_no_expiry_but_must_not_be_retained(device, household):
    household.say(TOPICS.command("rescan"), b'{"id":"ha-1795280164000-7"}')
    device.pump_until(lambda: device.commands)
    device.link.answer(device.commands[0].id, "ok")
    device.pump_until(lambda: household.answers().get("ha-1795280164000-7") == "ok")
    household.say(TOPICS.command("rescan"), b'{"id":"ha-1795280164001-8"}', retain=True)
    device.pump_until(lambda: household.answers().get("ha-1795280164001-8") == "error")
    assert len(device.commands) == 1


def test_a_device_that_is_forgotten_is_taken_out_beside_its_running_link(device, household, broker):
    device.pump_until(lambda: len(household.payloads()) == 1)
    target = Target(broker.endpoint(), NameOnly(DEVICE), Delivery.BROKER)
    take_out(target, TOPICS, "homeassistant", datetime.now(UTC))
    device.pump_until(lambda: household.payloads()[-1] == b"")
    assert device.link.state is LinkState.ONLINE


def test_a_broker_that_does_not_let_it_be_taken_out_is_named(broker):
    target = Target(broker.endpoint(), NameOnly("somebody-else"), Delivery.BROKER)
    with pytest.raises(LinkRefused, match="does not let this device write homeassistant/device/m-abcdefghijklmnop/config"):
        take_out(target, TOPICS, "homeassistant", datetime.now(UTC))
