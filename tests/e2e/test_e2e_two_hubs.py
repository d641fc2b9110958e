"""Two hubs that share a PostgreSQL, a Redis and one certificate, and nothing else; devices that go from one to the other."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from hub_house import Api, Traveller

from appliance import environment_of, moodify
from hub_process import HubProcess, made_hub
from moodify.cloud.keys import line_of
from moodify.hub.database import open_database
from moodify.hub.mosquitto import end_left_behind
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.timeout(180)]

DEVICES = 6


class Pair:
    """The hubs, each with two collectors of its own and one in a process beside it."""

    def __init__(self, folder, postgresql, redis_server, stack):
        self.database_url = postgresql.new_database()
        shared = {"database_url": json.dumps(self.database_url), "cache_url": json.dumps(redis_server.url), "collectors": "2"}
        self.homes = [folder / name for name in ("a", "b")]
        self.collector_logs = [home / "collector.log" for home in self.homes]
        self.hubs, self.collectors, self.tokens = [], [], []
        for home in self.homes:
            home.mkdir()
            self.tokens.append(made_hub(home, home / "hub", **shared))
        # Behind one name they show one certificate.
        for file in ("certificate.pem", "certificate.key"):
            shutil.copy(self.homes[0] / "hub" / file, self.homes[1] / "hub" / file)
        # Both at once, over a database that is still empty.
        for home in self.homes:
            self.hubs.append(stack.enter_context(HubProcess(home, home / "hub", wait=False)))
        for hub in self.hubs:
            hub.wait_until_ready()
        for home, log in zip(self.homes, self.collector_logs, strict=True):
            with log.open("wb") as errors:
                arguments = [sys.executable, "-m", "moodify", "hub", "collect", "--folder", str(home / "hub")]
                self.collectors.append(subprocess.Popen(arguments, env=environment_of(home), stdin=subprocess.DEVNULL, stderr=errors))
            stack.callback(_end, self.collectors[-1])
        for log in self.collector_logs:
            wait_until(lambda log=log: "collecting for the hub" in log.read_text(), within_s=60, what="a collector's start")
        self.apis = [Api(hub, token) for hub, token in zip(self.hubs, self.tokens, strict=True)]

    def stored(self):
        """Return how often each event is in the database."""
        database, found, after = open_database(self.database_url), Counter(), 0
        while page := database.events.events(after=after, limit=500):
            found.update(event.id for event in page)
            after = page[-1].n
        database.close()
        return found


def _end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


@pytest.fixture(scope="module")
def pair(tmp_path_factory, postgresql, redis_server):
    with ExitStack() as stack:
        yield Pair(tmp_path_factory.mktemp("pair"), postgresql, redis_server, stack)


@pytest.fixture
def traveller(pair, tmp_path):
    """A maker of devices that are let in at one hub, and begin at one of them."""
    with ExitStack() as stack:

        def make(hub, *, let_in_at=0):
            device = Traveller(tmp_path / f"device {len(list(tmp_path.iterdir()))}", pair.hubs[hub])
            status, said = pair.apis[let_in_at].ask("/v1/devices", {"id": device.id, "public_key": line_of(device.identity.key.public_key())})
            assert status == 201, said
            return stack.enter_context(device)

        yield make


def until_online(device, api):
    wait_until(lambda: api.is_online(device.id), within_s=30, every_s=0.1, what=lambda: f"the device at the hub ({device.changes})")


def test_devices_that_go_to_and_fro_have_each_event_stored_once_and_each_command_done_once(pair, traveller):
    chance = random.Random(4)
    devices = [traveller(number % 2) for number in range(DEVICES)]
    for device in devices:
        until_online(device, pair.apis[0])
    given = {}
    for round_number in range(5):
        for number, device in enumerate(devices):
            device.happen(8)
            # At whichever hub: the device may be at the other one, or on its way.
            given[pair.apis[chance.randrange(2)].give(device.id, "rescan")] = device
            if round_number < 4:
                device.go_to(pair.hubs[(number + round_number + 1) % 2], gently=chance.random() < 0.5)
            device.happen(2)
        time.sleep(chance.uniform(0.1, 0.6))
    for device in devices:
        device.until_empty()
    recorded = [event for device in devices for event in device.recorded]
    stored = pair.stored()
    assert len(recorded) == DEVICES * 50
    assert {event: stored[event] for event in recorded} == dict.fromkeys(recorded, 1)
    for command, device in given.items():
        answered = pair.apis[0].answer(command)
        assert (answered["state"], answered["data"]) == ("ok", {"did": "rescan"})
        assert pair.apis[1].get(f"/v1/commands/{command}") == answered
        assert device.done.count(command) == 1
    assert all(len(device.done) == 5 for device in devices)
    for device in devices:
        (stream,) = pair.apis[1].get(f"/v1/devices/{device.id}")["streams"]
        assert (stream["received"], stream["gaps"]) == (50, [])


def test_what_a_device_shows_at_one_hub_is_seen_and_what_it_is_to_do_is_said_at_the_other(pair, traveller):
    device, (here, there) = traveller(1), pair.apis
    until_online(device, here)
    device.show(mood="calm", playing=True)
    shown = wait_until(lambda: here.states(device.id).get("now"), every_s=0.05, what="the state at the other hub")
    assert (shown["mood"], shown["playing"]) == ("calm", True)
    assert there.states(device.id)["now"] == shown
    assert [each["online"] for each in here.get("/v1/devices?limit=500")["devices"] if each["id"] == device.id] == [True]
    command = here.give(device.id, "goal", goal="lift")
    assert here.answer(command)["data"] == {"did": "goal"}
    assert device.done == [command]


def test_a_device_that_is_shut_out_at_one_hub_is_cut_off_at_the_other_within_seconds(pair, traveller):
    device = traveller(1)
    until_online(device, pair.apis[1])
    assert moodify(pair.homes[0], "hub", "revoke", device.id, "--yes", "--folder", pair.hubs[0].folder).returncode == 0
    wait_until(lambda: device.changes[-1][0] == "refused", within_s=30, what=lambda: f"the end of the connection ({device.changes})")
    for api in pair.apis:
        wait_until(lambda api=api: (api.is_online(device.id), api.states(device.id)) == (False, {}), every_s=0.1, what="what the hubs say of it to end")
    wait_until(lambda: f"the device {device.id} was revoked or erased; its connection is ended" in pair.hubs[1].log, what="the reason in the log")


def test_when_one_hub_dies_its_devices_go_on_at_the_other_and_nothing_is_lost_or_twice(pair, traveller):
    devices = [traveller(0) for _ in range(3)]
    for device in devices:
        until_online(device, pair.apis[0])
        device.happen(60)
    pair.hubs[0].kill()
    end_left_behind(pair.hubs[0].folder / "run" / "mosquitto.conf")
    for device in devices:
        device.heads_for(pair.hubs[1])
        device.happen(20)
    for device in devices:
        device.until_empty()
        until_online(device, pair.apis[1])
    stored = pair.stored()
    assert [stored[event] for device in devices for event in device.recorded] == [1] * 240


def test_the_hubs_and_the_collectors_beside_them_have_shared_the_work(pair, traveller):
    device = traveller(1, let_in_at=1)
    device.happen(100)
    device.until_empty()
    for process in (pair.hubs[1].process, pair.collectors[1]):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    shares = [int(re.search(r"events stored: (\d+)", log)[1]) for log in (pair.hubs[1].log, pair.collector_logs[1].read_text())]
    assert all(shares), shares
    assert pair.stored().total() >= sum(shares)
