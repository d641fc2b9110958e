"""Store, link, a real mosquitto and a subscriber together."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from brokers import OBSERVER, subscribed
from moodify.cloud.backoff import Backoff
from moodify.cloud.mqtt import Connection, Received, Subscribed
from moodify.cloud.port import Command, Credentials, LinkState
from moodify.hub.listen import Listener
from moodify.store.history import History
from waiting import wait_until

TOPICS = "moodify/v1/m-abcdefghijklmnop"


class Household:
    """Somebody at the broker who sends commands and reads what a device says."""

    def __init__(self, endpoint, topic=f"{TOPICS}/up/#"):
        self.heard = []
        self._subscribed = False
        self._connection = Connection(endpoint, Credentials("household", None), client_id=f"household-{uuid.uuid4()}", session_s=0)
        self._connection.subscribe(topic)
        self.until(lambda: self._subscribed)

    def poll(self):
        for one in self._connection.step(0.02):
            self._subscribed |= isinstance(one, Subscribed)
            if isinstance(one, Received):
                self.heard.append(one)

    def until(self, condition):
        wait_until(lambda: self.poll() or condition(), what=lambda: f"what the household waits for (it heard {self.heard})", every_s=0)

    def command(self, name, body, *, retain=False):
        self._connection.publish(f"{TOPICS}/down/cmd/{name}", body if isinstance(body, bytes) else json.dumps(body).encode(), retain=retain)

    def said(self, end):
        return [json.loads(one.payload) for one in self.heard if one.topic == f"{TOPICS}/up/{end}"]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._connection.close()


def test_what_happens_is_heard_once_each_in_order(broker, device_at):
    device = device_at(broker.endpoint)
    with subscribed(Listener(broker.endpoint(), OBSERVER)) as listener:
        heard = []
        ids = device.happen(50, mood="happy")
        device.pump_until(lambda: len(heard) >= 50, also=lambda: heard.extend(listener.poll(0)))
        device.until_empty()
        assert [one.event["id"] for one in heard] == ids
        assert heard[0].device == "m-abcdefghijklmnop"
        assert heard[0].event["data"] == {"mood": "happy"}
        assert listener.absorber.repeats == 0


def test_the_household_sees_it_with_mosquittos_own_subscriber(broker, device_at):
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("needs mosquitto_sub, which scripts/test --all installs (package mosquitto-clients)")
    endpoint = broker.endpoint()
    device = device_at(broker.endpoint)
    device.pump_until(lambda: device.link.state is LinkState.ONLINE)
    device.link.publish_state("now", {"mood": "calm"})
    device.happen(1)
    device.until_empty()
    arguments = ["mosquitto_sub", "-V", "5", "-h", endpoint.host, "-p", str(endpoint.port), "-u", "observer", "-t", "moodify/v1/#", "-v", "-C", "2", "-W", "30"]
    lines = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.splitlines()
    retained = dict(line.split(" ", 1) for line in lines)
    assert json.loads(retained[f"{TOPICS}/up/now"]) == {"mood": "calm"}
    assert json.loads(retained[f"{TOPICS}/up/status"])["state"] == "online"


def test_states_are_retained_newest_only_and_come_again_after_a_reconnect(broker, device_at):
    device = device_at(broker.endpoint)
    for mood in ("sad", "calm", "happy"):
        device.link.publish_state("state", {"mood": mood})
    with Household(broker.endpoint()) as household:
        device.pump_until(lambda: household.said("state"), also=household.poll)
        assert household.said("state") == [{"mood": "happy"}]
        device.link._connection.abandon()
        device.pump_until(lambda: len(household.said("state")) == 2, also=household.poll)
        assert household.said("state") == [{"mood": "happy"}] * 2
        device.link.publish_state("state", {"mood": "happy"})
        device.link.publish_state("health", {"ok": True})
        device.pump_until(lambda: household.said("health"), also=household.poll)
        assert len(household.said("state")) == 2


def test_birth_and_farewell_are_retained_and_a_cut_with_a_quick_return_is_no_offline(broker, device_at):
    device = device_at(broker.endpoint)
    with Household(broker.endpoint()) as household:
        device.pump_until(lambda: household.said("status"), also=household.poll)
        device.link._connection.abandon()
        device.pump_until(lambda: len(household.said("status")) == 2, also=household.poll)
        device.link.close()
        household.until(lambda: len(household.said("status")) == 3)
    with Household(broker.endpoint()) as latecomer:
        latecomer.until(lambda: latecomer.heard)
        assert latecomer.heard[0].retained
    births = household.said("status")
    assert [status["state"] for status in births] == ["online", "online", "offline"]
    assert latecomer.said("status")[0]["state"] == "offline"
    assert len({status["boot"] for status in births}) == 1
    assert births[0].keys() == {"state", "boot", "ts"}


def test_a_device_that_is_killed_goes_offline_by_its_last_will(broker, device_at, monkeypatch):
    monkeypatch.setattr("moodify.cloud.mqtt.WILL_DELAY_S", 1)
    device = device_at(broker.endpoint)
    with Household(broker.endpoint()) as household:
        device.pump_until(lambda: household.said("status"), also=household.poll)
        device.link._connection.abandon()
        household.until(lambda: len(household.said("status")) == 2)
    birth, offline = household.said("status")
    assert offline == {"state": "offline", "boot": birth["boot"]}


def test_commands_are_carried_out_once_and_answered(broker, device_at):
    device = device_at(broker.endpoint)
    good, banned = str(uuid.uuid4()), str(uuid.uuid4())
    with Household(broker.endpoint()) as household:
        device.pump_until(lambda: household.said("status"), also=household.poll)
        household.command("rescan", {"id": good, "why": "test"})
        household.command("privacy", {"id": banned, "on": False})
        household.command("rescan", b"nonsense")
        device.pump_until(lambda: device.commands and household.said(f"res/{banned}"), also=household.poll)
        assert device.commands == [Command(good, "rescan")]
        assert household.said(f"res/{banned}") == [{"status": "error", "error": "the owner does not allow 'privacy'; [link] commands lists what is allowed"}]
        device.link.answer(good, "ok")
        device.pump_until(lambda: household.said(f"res/{good}"), also=household.poll)
        household.command("rescan", {"id": good})
        device.pump_until(lambda: len(household.said(f"res/{good}")) == 2, also=household.poll)
        assert household.said(f"res/{good}") == [{"status": "ok"}] * 2
        assert len(device.commands) == 1


def test_a_retained_command_is_answered_with_an_error_and_not_carried_out(broker, device_at):
    device = device_at(broker.endpoint)
    command = str(uuid.uuid4())
    with Household(broker.endpoint()) as household:
        household.command("rescan", {"id": command}, retain=True)
        device.pump_until(lambda: household.said(f"res/{command}"), also=household.poll)
        assert household.said(f"res/{command}")[0] == {"status": "error", "error": "a command must not be retained"}
        assert device.commands == []


def test_a_broker_that_is_killed_in_the_middle_costs_nothing_that_was_not_acknowledged(broker, device_at, tmp_path):
    device = device_at(broker.endpoint)
    listener = Listener(broker.endpoint(), OBSERVER, client_id="test", session_s=300, backoff=Backoff(0.05, 0.2))
    heard = []

    def listen():
        heard.extend(one.event["id"] for one in listener.poll(0))

    with subscribed(listener):
        # A subscription outlives a kill once the broker has written it, as it does every few minutes, and when it is asked to.
        os.kill(broker.process.pid, signal.SIGUSR1)
        wait_until((tmp_path / "broker" / "state" / "mosquitto.db").exists, what="writing the sessions")
        for _ in range(3):
            device.happen(200)
            device.pump_until(lambda: device.outbox.backlog() < 150, also=listen)
            os.kill(broker.process.pid, signal.SIGKILL)
            broker.process.wait()
            owed = {item["id"] for message in device.outbox.unsent(limit=1_000) for item in json.loads(message.payload)["items"]}
            assert owed
            device.pump_until(lambda owed=owed: owed <= set(heard), also=listen)
            device.until_empty()
    assert len(heard) == len(set(heard))
    assert "offline" in {state for state, _ in device.changes}
    assert device.link.state is LinkState.ONLINE


def test_a_device_killed_at_any_moment_has_each_event_heard_exactly_once(broker, tmp_path):
    rng = random.Random(5)
    path = tmp_path / "killed" / "moodify.db"
    port = broker.endpoint().port
    printed, heard = set(), []

    def start(count):
        arguments = [sys.executable, str(Path(__file__).with_name("record_and_send.py")), str(path), str(port), str(count)]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    with subscribed(Listener(broker.endpoint(), OBSERVER)) as listener:
        for _ in range(6):
            with start(1_000_000) as child:
                for _ in range(rng.randrange(1, 150)):
                    printed.add(child.stdout.readline().strip())
                    heard += listener.poll(0)
                child.kill()
                printed |= {line for line in child.stdout.read().splitlines() if len(line) == 36}
            heard += listener.poll(0.05)
        with start(20) as child:
            while child.poll() is None:
                heard += listener.poll(0.05)
            printed |= set(child.stdout.read().split())
        with History(path) as history:
            kept = {event.id for event in history.recent(1_000_000)}
            status = history.status()
        while len(heard) < len(kept) and (more := listener.poll(15.0)):
            heard += more
    assert child.returncode == 0
    assert (status.unsent, status.refused, status.lost) == (0, 0, 0)
    assert printed <= kept
    assert len(heard) == len({one.event["id"] for one in heard})
    assert {one.event["id"] for one in heard} == kept
